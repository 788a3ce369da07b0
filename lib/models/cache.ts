// The cache folder and the ways things get into it: under a lock, whole or not at all.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import envPaths from 'env-paths';
import { ModelDownloadError } from './errors.js';
import type { FetchOptions } from './progress.js';

const lockPollMs = 250;
const lockStaleMs = 20_000; // A holder that died is found out after this long; a living one renews its lock twice as often.

export function defaultCacheFolder(): string {
  return process.env.WINNOW_HOME || envPaths('winnow', { suffix: '' }).cache;
}

export const cacheFolderOf = (options: FetchOptions): string =>
  path.resolve(options.cacheFolder ?? defaultCacheFolder());

/** Nothing is fetched where the environment forbids the network. */
export const isOffline = (): boolean =>
  [process.env.WINNOW_OFFLINE, process.env.HF_HUB_OFFLINE].some((value) => /^(1|true|yes|on)$/i.test(value ?? ''));

/** Size of a regular file in bytes, or undefined where there is none. */
export async function fileSize(file: string): Promise<number | undefined> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

/** Runs `action` while no other process or thread does so for this file. Waits, and can be aborted while it waits. */
export async function withLock<T>(file: string, options: FetchOptions, action: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  const release = await lock(file, options);
  try {
    return await action();
  } catch (error) {
    options.signal?.throwIfAborted(); // Streams and timers give their own AbortError instead of the reason.
    throw error;
  } finally {
    await release().catch(() => {}); // Gone already: nothing is left to release.
  }
}

async function lock(file: string, { signal, onProgress }: FetchOptions): Promise<() => Promise<void>> {
  // Imported late: it installs exit handlers, which only a process that fetches should have.
  const { default: lockfile } = await import('proper-lockfile');
  for (;;) {
    signal?.throwIfAborted();
    try {
      // A lock that another process took over makes two fetches, not a wrong file: both end in a rename.
      return await lockfile.lock(file, { realpath: false, stale: lockStaleMs, onCompromised: () => {} });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      onProgress?.({ phase: 'waiting', name: path.basename(file), bytes: 0, totalBytes: 0 });
      await delay(lockPollMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/** The lower-case hexadecimal SHA-256 of a file; `algorithm` and `prefix` serve git's object ids. */
export async function hashFile(
  file: string,
  options: FetchOptions & { totalBytes?: number; algorithm?: 'sha256' | 'sha1'; prefix?: string } = {},
): Promise<string> {
  const { signal, onProgress, totalBytes = 0, algorithm = 'sha256', prefix = '' } = options;
  const hash = createHash(algorithm).update(prefix);
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20, signal }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    onProgress?.({ phase: 'verify', name: path.basename(file), bytes, totalBytes });
  }
  return hash.digest('hex');
}

/** Makes a finished temporary file the real one. The data is on the disk before the name is: a crash leaves no torn file. */
export async function publish(temporary: string, file: string): Promise<void> {
  const handle = await open(temporary, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;

export async function requireDiskSpace(folder: string, bytes: number, source: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  throw new ModelDownloadError(
    'ERR_MODEL_DOWNLOAD',
    `${source} needs ${megabytes(bytes)} in ${folder}, where ${megabytes(bavail * bsize)} are free. ` +
      'Free some space or set WINNOW_HOME to a folder on another disk.',
    source,
  );
}
