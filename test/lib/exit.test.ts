import test from 'ava';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

test('a process with open models, a running request and a warm template worker ends by itself', async (t) => {
  const child = fileURLToPath(new URL('../support/exit-child.js', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [child], { timeout: 60_000 });
  t.is(stdout, 'left open, 2 requests\n');
  t.is(stderr, '');
});
