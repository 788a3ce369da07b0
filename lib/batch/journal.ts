// The append-only file that a job writes: one line per row, in the order in which rows end.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { goOn, JobError } from './errors.js';
import { splitLines } from './lines.js';

const syncMs = 1000; // Longest that a row waits for the disk; a process that dies loses nothing even before.
const flushBytes = 1 << 16;

/** Appends lines; several become one write. Not to be used after it has thrown. */
export class Journal {
  readonly #handle: FileHandle;
  readonly #file: string;
  #length: number; // Up to the end of the last whole line.
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
  }

  /** Cuts a torn last line and calls back with every whole one. */
  static async open(file: string, onLine: (line: string) => void): Promise<Journal> {
    const handle = await open(file, 'a+');
    try {
      if (!(await handle.stat()).isFile()) throw new JobError('ERR_JOB_OUTPUT', `${file} must be a file.`, file);
      const length = await readWhole(file, onLine);
      await handle.truncate(length);
      return new Journal(handle, file, length);
    } catch (error) {
      await handle.close();
      throw error;
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
    await this.#guard(() => this.#handle.datasync());
  }

  async close(): Promise<void> {
    try {
      if (!this.#failure) await this.sync();
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
    await this.#guard(() => this.#handle.appendFile(bytes));
    this.#length += bytes.length;
  }

  async #guard(action: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure;
    try {
      await action();
    } catch (cause) {
      const message = `${this.#file} can't be written: ${(cause as Error).message}. Mend that. ${goOn}`;
      this.#failure = new JobError('ERR_JOB_OUTPUT', message, this.#file, { cause });
      await this.#handle.truncate(this.#length).catch(() => {}); // Half a line; the next start would cut it, too.
      throw this.#failure;
    }
  }
}

/** Calls back with every whole line; returns the length of all. */
export async function readWhole(file: string, onLine: (line: string, offset: number) => void): Promise<number> {
  let end = 0;
  for await (const { bytes, offset, isWhole } of splitLines(createReadStream(file, { highWaterMark: 1 << 20 }))) {
    if (!isWhole) break;
    onLine(bytes.toString('utf8'), offset);
    end = offset + bytes.length + 1;
  }
  return end;
}
