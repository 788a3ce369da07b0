import { existsSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { failure, parseTap } from './results.mjs';
import { runStep } from './step.mjs';

/**
 * Runs the compiled tests of the folders of test/ (`npm run test:lib -- --match='*cancel*'` passes `extra` on to AVA).
 * The first folder without a test counts as failed: the suite could not run.
 */
export async function runAvaSuite([name, ...others], { env, extra = [], concurrency } = {}) {
  if (!existsSync(inRoot('build', 'test', 'test', name))) return failure(`test/${name} has no tests`);
  const ava = inRoot('node_modules', 'ava', 'entrypoints', 'cli.mjs');
  const patterns = [name, ...others].map((folder) => `build/test/test/${folder}/**/*.test.js`);
  const ended = await runStep(
    `Running the tests of test/${name}`,
    process.execPath,
    [ava, '--tap', ...(concurrency ? ['--concurrency', String(concurrency)] : []), ...extra, ...patterns],
    {
      log: `ava-${name}`,
      mayFail: true,
      env: { FORCE_COLOR: '0', ...env },
    },
  );
  return parseTap(ended.stdout, ended.code);
}
