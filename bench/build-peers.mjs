// node bench/build-peers.mjs      builds llama-batched-bench from the pinned llama.cpp into build/peers (some ten minutes)
//
// llama.cpp's own defaults: for this machine's processor, with OpenMP where the compiler has it.
import { existsSync } from 'node:fs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { printFailure, runStep, StepError } from '../scripts/lib/step.mjs';

const source = inRoot('build', 'llama.cpp');
const folder = inRoot('build', 'peers');
const options = {
  CMAKE_BUILD_TYPE: 'Release',
  BUILD_SHARED_LIBS: 'OFF',
  LLAMA_BUILD_TESTS: 'OFF',
  LLAMA_BUILD_EXAMPLES: 'OFF',
  LLAMA_BUILD_SERVER: 'OFF',
  LLAMA_BUILD_APP: 'OFF',
  LLAMA_BUILD_TOOLS: 'ON',
  LLAMA_OPENSSL: 'OFF',
};

try {
  if (!existsSync(source)) {
    throw new StepError('Building the peers', { reason: `${source} is missing`, advice: 'Run: npm run build' });
  }
  const flags = Object.entries(options).map(([name, value]) => `-D${name}=${value}`);
  await runStep('Configuring llama.cpp’s tools', 'cmake', ['-S', source, '-B', folder, ...flags], {
    log: 'peers-configure',
  });
  const target = ['--target', 'llama-batched-bench', '--config', 'Release', '--parallel', '2'];
  await runStep('Building llama-batched-bench', 'cmake', ['--build', folder, ...target], { log: 'peers-build' });
} catch (error) {
  printFailure(error);
  process.exitCode = 1;
}
