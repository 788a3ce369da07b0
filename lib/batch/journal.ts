// The append-only file that a job writes: one line per row, in the order in which rows end.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { JobError, outputError } from './errors.js';
import { splitLines } from './lines.js';
import type { Line } from './lines.js';

const syncMs = 1000; // Longest that a row waits for the disk; a process that dies loses nothing even before.
const flushBytes = 1 << 16;

/** Appends lines; several become one write. Not to be used after it has thrown. */
export class Journal {
  readonly #handle: FileHandle;
  readonly #file: string;
  #length: number; // Up to the end of the last whole line.
  #syncedLength: number; // Of it, what the disk has taken.
  #pending: string[] = [];
  #pendingLength = 0;
  #isDirty = false;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();
  #failure: JobError | undefined;

  private constructor(handle: FileHandle, file: string, length: number) {
    this.#handle = handle;
    this.#file = file;
    this.#length = length;
    this.#syncedLength = length;
  }

  /** Cuts a torn last line and calls back with every whole one. Throws ERR_JOB_OUTPUT. */
  static async open(file: string, onLine: (line: string) => void): Promise<Journal> {
    const handle = await open(file, 'a+').catch((cause: unknown) => {
      throw outputError(file, 'written', cause);
    });
    try {
      if (!(await handle.stat()).isFile()) throw new JobError('ERR_JOB_OUTPUT', `${file} must be a file.`, file);
      const length = await readWhole(file, onLine);
      await handle.truncate(length);
      return new Journal(handle, file, length);
    } catch (error) {
      await handle.close();
      throw outputError(file, 'written', error);
    }
  }

  get file(): string {
    return this.#file;
  }

  /** Resolves when there is room for more. Throws ERR_JOB_OUTPUT, now or for an earlier line. */
  async append(line: string): Promise<void> {
    if (this.#failure) throw this.#failure;
    this.#pending.push(line, '\n');
    this.#pendingLength += line.length + 1;
    this.#timer ??= setTimeout(() => void this.sync().catch(() => {}), syncMs); // The next append throws it.
    if (this.#pendingLength >= flushBytes) await this.#flush();
  }

  /** What has been appended is on the disk. */
  async sync(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#flush();
    if (!this.#isDirty) return;
    this.#isDirty = false;
    const length = this.#length;
    // What the disk has refused may be lost although it can still be read: those rows are to be computed again.
    await this.#guard(() => this.#handle.datasync(), this.#syncedLength);
    this.#syncedLength = length;
  }

  /** Throws ERR_JOB_OUTPUT for what has failed, however long ago: lines may be missing. */
  async close(): Promise<void> {
    try {
      if (this.#failure) throw this.#failure;
      await this.sync();
    } finally {
      clearTimeout(this.#timer);
      await this.#handle.close();
    }
  }

  #flush(): Promise<void> {
    const bytes = Buffer.from(this.#pending.join(''));
    this.#pending = [];
    this.#pendingLength = 0;
    this.#last = this.#last.then(() => this.#write(bytes));
    return this.#last;
  }

  async #write(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    this.#isDirty = true;
    await this.#guard(() => this.#handle.appendFile(bytes), this.#length);
    this.#length += bytes.length;
  }

  /** `length`: what is kept of the file if it fails. */
  async #guard(action: () => Promise<void>, length: number): Promise<void> {
    if (this.#failure) throw this.#failure;
    try {
      await action();
    } catch (cause) {
      this.#failure = outputError(this.#file, 'written', cause);
      await this.#handle.truncate(length).catch(() => {}); // Half a line; the next start would cut it, too.
      throw this.#failure;
    }
  }
}

/** The lines that end with a line feed. Throws ERR_JOB_OUTPUT. */
export async function* wholeLines(file: string): AsyncGenerator<Line, void> {
  try {
    for await (const line of splitLines(createReadStream(file, { highWaterMark: 1 << 20 })))
      if (line.isWhole) yield line;
  } catch (cause) {
    throw outputError(file, 'read', cause);
  }
}

/** Calls back with every whole line; returns the length of all. */
export async function readWhole(file: string, onLine: (line: string, offset: number) => void): Promise<number> {
  let end = 0;
  for await (const { bytes, offset } of wholeLines(file)) {
    onLine(bytes.toString('utf8'), offset);
    end = offset + bytes.length + 1;
  }
  return end;
}
