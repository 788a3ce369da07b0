// The sidecar of an output: what it was made of.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { JobError, outputError } from './errors.js';

export interface FileFacts {
  bytes: number;
  /** Milliseconds; equal size and time spare the hashing. */
  modified: number;
  sha256: string;
}

export interface JobState {
  /** Of this format. */
  version: 1;
  /** Version of winnow-llm. */
  winnow: string;
  kind: string;
  /** null = standard input, or rows of a program. */
  input: FileFacts | null;
  /** One per file of the model. */
  model: FileFacts[];
  /** Everything else that a result depends on. */
  options: Record<string, unknown>;
  started: string;
  finished: boolean;
  /** Of a finished job. */
  rows?: number;
  errors?: number;
}

export const stateFile = (output: string): string => `${output}.state.json`;

export async function readState(output: string): Promise<JobState | undefined> {
  try {
    return JSON.parse(await readFile(stateFile(output), 'utf8')) as JobState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw outputError(stateFile(output), 'read', error);
    const message = `${stateFile(output)} can't be read: ${error.message}. Remove it and ${output} to start over.`;
    throw new JobError('ERR_JOB_OUTPUT', message, output, { cause: error });
  }
}

/** Whole or not at all: a crash leaves the old one. Throws ERR_JOB_OUTPUT. */
export async function writeState(output: string, state: JobState): Promise<void> {
  const temporary = `${stateFile(output)}.part`;
  try {
    await writeWhole(temporary, `${JSON.stringify(state, null, 2)}\n`);
    await rename(temporary, stateFile(output));
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    throw outputError(stateFile(output), 'written', cause);
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** `known`: what the sidecar says of the same file. */
export async function fileFacts(file: string, known?: FileFacts, signal?: AbortSignal): Promise<FileFacts> {
  const { size: bytes, mtimeMs: modified } = await stat(file);
  if (known?.bytes === bytes && known.modified === modified) return known;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20, signal })) hash.update(chunk as Buffer);
  return { bytes, modified, sha256: hash.digest('hex') };
}

/** What differs, in words; empty = the output can be continued. */
export function differences(old: JobState, now: JobState): string[] {
  const found: string[] = [];
  if (old.kind !== now.kind) found.push(`it was written by winnow ${old.kind}`);
  if (old.input?.sha256 !== now.input?.sha256) found.push('the input has changed');
  if (hashes(old) !== hashes(now)) found.push('the model is another');
  if (old.winnow !== now.winnow) found.push(`it was begun by version ${old.winnow}, this is ${now.winnow}`);
  const names = new Set([...Object.keys(old.options), ...Object.keys(now.options)]);
  for (const name of names)
    if (JSON.stringify(old.options[name]) !== JSON.stringify(now.options[name])) found.push(`${name} differs`);
  return found;
}

const hashes = ({ model }: JobState) => model.map(({ sha256 }) => sha256).join();
