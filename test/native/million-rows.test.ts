// The pipeline's own benchmark, in small.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { packageRoot } from '../../lib/addon.js';

test('npm run bench:rows scores all its rows, in bounded memory', async (t) => {
  const program = path.join(packageRoot(), 'bench', 'million-rows.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--rows', '2000']);
  const { rows, errors, inputBytes, rowsPerSecond, peakBytes } = JSON.parse(stdout) as Record<string, number>;
  t.deepEqual([rows, errors, inputBytes], [2000, 0, 2000 * 200]);
  t.true(rowsPerSecond > 0);
  if (process.platform === 'linux') t.true(peakBytes < 300e6, `${peakBytes} bytes`);
});
