// npm run bench:peers [-- llama.cpp openvino-genai …]      installs the other engines into the cache folder
//
// Without names: all of them. llama.cpp is the pinned one in build/llama.cpp, with its own defaults: for this machine's
// processor, with OpenMP where the compiler has it (some fifteen minutes). The others come from the package index.
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from '../scripts/lib/paths.mjs';
import { printFailure, runStep, StepError } from '../scripts/lib/step.mjs';
import { requirePython } from '../scripts/lib/tools.mjs';
import { environmentFolder, environmentPython, llamaFolder, peersFolder } from './peers.mjs';

const source = inRoot('build', 'llama.cpp');
const options = {
  CMAKE_BUILD_TYPE: 'Release',
  BUILD_SHARED_LIBS: 'OFF',
  LLAMA_BUILD_TESTS: 'OFF',
  LLAMA_BUILD_EXAMPLES: 'OFF',
  LLAMA_BUILD_APP: 'OFF',
  LLAMA_BUILD_TOOLS: 'ON',
  LLAMA_BUILD_SERVER: 'ON',
  LLAMA_BUILD_UI: 'OFF',
  LLAMA_USE_PREBUILT_UI: 'OFF', // It would be downloaded.
  LLAMA_OPENSSL: 'OFF',
};

async function buildLlama() {
  if (!existsSync(source)) {
    throw new StepError('Building the peers', { reason: `${source} is missing`, advice: 'Run: npm run build' });
  }
  const flags = Object.entries(options).map(([name, value]) => `-D${name}=${value}`);
  await runStep('Configuring llama.cpp’s tools', 'cmake', ['-S', source, '-B', llamaFolder, ...flags], {
    log: 'peers-configure',
  });
  const targets = ['--target', 'llama-batched-bench', 'llama-server', '--config', 'Release', '--parallel', '2'];
  await runStep('Building llama-batched-bench and llama-server', 'cmake', ['--build', llamaFolder, ...targets], {
    log: 'peers-build',
  });
}

/** In the build folder of the addon, with its compiler options. */
async function buildEngine() {
  const folder = inRoot('build', 'release');
  if (!existsSync(path.join(folder, 'CMakeCache.txt'))) {
    throw new StepError('Building the peers', { reason: `${folder} is missing`, advice: 'Run: npm run build' });
  }
  const args = ['--build', folder, '--target', 'engine_alone', '--config', 'Release', '--parallel', '2'];
  await runStep('Building the engine without Node', 'cmake', args, { log: 'peers-engine' });
}

/** An environment of its own for each: their dependencies exclude one another. */
async function installPython(name, packages) {
  const log = `peers-${name}`;
  await runStep(`Making an environment for ${name}`, requirePython(), ['-m', 'venv', environmentFolder(name)], { log });
  const install = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', ...packages];
  await runStep(`Installing ${name}`, environmentPython(name), install, { log, append: true });
}

const peers = {
  'winnow-cpp': buildEngine,
  'llama.cpp': buildLlama,
  'openvino-genai': () => installPython('openvino-genai', ['--only-binary=:all:', 'openvino-genai']),
};

try {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(peers);
  const unknown = names.find((name) => !(name in peers));
  if (unknown) {
    const advice = `There are: ${Object.keys(peers).join(', ')}`;
    throw new StepError('Installing the peers', { reason: `no peer is named '${unknown}'`, advice });
  }
  mkdirSync(peersFolder, { recursive: true });
  for (const name of names) await peers[name]();
} catch (error) {
  printFailure(error);
  process.exitCode = 1;
}
