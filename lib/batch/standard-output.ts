// Results that leave as they come: nothing of them is kept.
import { JobError } from './errors.js';

const ignore = () => {}; // A write's callback has said it.

export class StandardOutput {
  #hasFailed = false;

  constructor() {
    process.stdout.on('error', ignore);
  }

  /** Resolves when there is room for more. Throws ERR_JOB_OUTPUT. */
  append(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      process.stdout.write(`${line}\n`, (cause) => {
        if (cause) reject(this.#failed(cause));
        else resolve();
      });
    });
  }

  // async: a journal's end is waited for.
  async close(): Promise<void> {
    if (!this.#hasFailed) process.stdout.off('error', ignore); // The event comes later than the callback.
  }

  #failed(cause: Error): JobError {
    this.#hasFailed = true;
    const message = `Standard output can't be written: ${cause.message}. Name a file: a job with one goes on where it stopped.`;
    return new JobError('ERR_JOB_OUTPUT', message, '-', { cause });
  }
}
