// Files of low-rank adapters: each is checked and read once, before the first request that names it goes down.
import { AdapterError, adapterErrorCodes } from './errors.js';
import type { NativeAdapter, NativeEngine } from './native.js';

type Loader = Pick<NativeEngine, 'loadAdapter' | 'unloadAdapter'>;

export class AdapterFiles {
  readonly #loading = new Map<string, Promise<void>>();

  /** Resolves when all are there. Rejects with AdapterError; then the file is read again next time. */
  async load(native: Loader, paths: readonly string[]): Promise<void> {
    await Promise.all(paths.map((path) => this.#loadOnce(native, path)));
  }

  /** Rejects with ERR_ADAPTER_IN_USE. */
  async unload(native: Loader, path: string): Promise<void> {
    await this.#loading.get(path)?.catch(() => {});
    await withPath(path, () => native.unloadAdapter(path));
    this.#loading.delete(path);
  }

  #loadOnce(native: Loader, path: string): Promise<void> {
    const known = this.#loading.get(path);
    if (known) return known;
    const loading = withPath(path, () => checkAndLoad(native, path));
    loading.catch(() => this.#loading.delete(path));
    this.#loading.set(path, loading);
    return loading;
  }
}

async function checkAndLoad(native: Loader, path: string): Promise<void> {
  await checkHeader(path);
  await native.loadAdapter(path);
}

/** What llama.cpp's reader may not be trusted with: counts, lengths and offsets beyond the file. */
async function checkHeader(path: string): Promise<void> {
  const { readGgufHeader } = await import('./models/gguf.js');
  try {
    await readGgufHeader(path);
  } catch (error) {
    const { code, reason, message } = error as { code?: string; reason?: string; message: string };
    const isMissing = code !== 'ERR_MODEL_FILE';
    throw new AdapterError(
      isMissing ? 'ERR_ADAPTER_NOT_FOUND' : 'ERR_ADAPTER_FILE',
      `${path} can't be used as an adapter: ${isMissing ? message : reason}.`,
      path,
      { cause: error },
    );
  }
}

async function withPath(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw adapterErrorOf(error, path);
  }
}

/** What native code says of an adapter, with its path. */
function adapterErrorOf(error: unknown, path: string): unknown {
  const { code, message } = error as { code?: string; message: string };
  const known = adapterErrorCodes.find((each) => each === code);
  return error instanceof AdapterError || !known ? error : new AdapterError(known, message, path, { cause: error });
}

/** The adapters of what is asked on a prefix: its own. Throws AdapterError where others are asked for. */
export function inheritAdapters(
  inherited: readonly NativeAdapter[],
  asked: readonly NativeAdapter[] | undefined,
): NativeAdapter[] {
  const differs =
    asked !== undefined &&
    (asked.length !== inherited.length ||
      asked.some(({ path, scale }, index) => inherited[index].path !== path || inherited[index].scale !== scale));
  if (!differs) return [...inherited];
  throw new AdapterError(
    'ERR_ADAPTER_CONFLICT',
    `The prefix was made with ${describe(inherited)}, so nothing on it can have ${describe(asked)}. ` +
      'Leave adapters out, or make another prefix.',
    (asked[0] ?? inherited[0]).path,
  );
}

const describe = (adapters: readonly NativeAdapter[]) =>
  adapters.length === 0 ? 'no adapters' : adapters.map(({ path, scale }) => `${path} × ${scale}`).join(', ');
