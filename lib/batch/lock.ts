import { open, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { loadAddon } from '../addon.js';
import { JobError, outputError } from './errors.js';

/** The one writer of an output. The system ends the lock with its owner, however that ends. */
export interface OutputLock {
  release(): Promise<void>;
}

/** Throws ERR_JOB_LOCKED at once where another process or job has it, ERR_JOB_OUTPUT where there can't be a lock. */
export async function lockOutput(output: string): Promise<OutputLock> {
  const file = `${output}.lock`;
  for (;;) {
    const handle = await open(file, 'a').catch((cause: unknown) => {
      throw outputError(file, 'written', cause);
    });
    if (!loadAddon().tryLockFile(handle.fd)) {
      await handle.close();
      throw new JobError('ERR_JOB_LOCKED', `Another process is writing ${output}: wait for it or stop it.`, output);
    }
    if (await isStillThere(handle, file)) return { release: () => release(handle, file) };
    await handle.close(); // Its last owner has just removed it: the lock is on a file without a name.
  }
}

async function isStillThere(handle: FileHandle, file: string): Promise<boolean> {
  const [held, named] = await Promise.all([handle.stat(), stat(file).catch(() => undefined)]);
  return held.ino === named?.ino && held.dev === named?.dev;
}

async function release(handle: FileHandle, file: string): Promise<void> {
  await unlink(file).catch(() => {});
  await handle.close();
}
