// npm run test:llama-sanitizers: the C++ suites and the addon with llama.cpp itself under AddressSanitizer. Long (llama.cpp
// is compiled twice more, and runs several times slower), so it is not part of npm test.
import { execFileSync } from 'node:child_process';
import { inRoot } from './paths.mjs';
import { runAvaSuite } from './ava-suite.mjs';
import { runCppSuite } from './cpp-suite.mjs';
import { addResults, failure } from './results.mjs';
import { buildSanitizedAddon } from './steps.mjs';

/** Node is not linked to the sanitizer's library, which must be loaded before everything else. */
function sanitizerLibrary() {
  const file = execFileSync('c++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  return file.includes('/') ? file : undefined;
}

/** What measures memory, needs another build of llama.cpp, or takes hours here without going other ways through the code. */
const unfit = ['memory', 'greedy', 'loglikelihood', 'loglikelihood-f16'];

export async function runLlamaSanitizers() {
  if (process.platform !== 'linux') return failure('the addon under AddressSanitizer is tested on Linux only');
  const library = sanitizerLibrary();
  if (!library) return failure('the compiler has no libasan.so (Fedora: sudo dnf install -y libasan)');
  const cpp = await runCppSuite('llama-asan');
  await buildSanitizedAddon();
  const env = {
    WINNOW_ADDON: inRoot('build', 'addon-asan', 'winnow.node'),
    LD_PRELOAD: library,
    ASAN_OPTIONS: 'detect_leaks=0', // Node itself leaves memory to the end of the process.
  };
  const extra = ['--timeout=20m', '--concurrency=1', ...unfit.map((name) => `!build/test/test/model/${name}.test.js`)];
  return addResults(cpp, await runAvaSuite(['model'], { env, extra }));
}
