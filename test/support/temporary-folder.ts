import { mkdtemp, realpath, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';

/** A folder that is gone when the test ends. */
export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'winnow-test-')));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
