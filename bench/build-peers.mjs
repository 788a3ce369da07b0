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

const pip = ['-m', 'pip'];
const quiet = ['--disable-pip-version-check', '--no-input'];

/** An environment of its own for each: their dependencies exclude one another. */
async function makeEnvironment(name, log) {
  await runStep(`Making an environment for ${name}`, requirePython(), ['-m', 'venv', environmentFolder(name)], { log });
}

async function installPython(name, packages) {
  const log = `peers-${name}`;
  await makeEnvironment(name, log);
  const install = [...pip, 'install', ...quiet, ...packages];
  await runStep(`Installing ${name}`, environmentPython(name), install, { log, append: true });
}

/**
 * Only its source is there, with a llama.cpp of its own: another fifteen minutes. It is unpacked and built in folders that
 * stay, so that a build that was cut short goes on where it ended.
 */
async function installLlamaCppPython() {
  const [name, version] = ['llama-cpp-python', '0.3.36'];
  const log = { log: `peers-${name}`, append: true };
  const folder = environmentFolder(name);
  const source = path.join(folder, `llama_cpp_python-${version}`);
  await makeEnvironment(name, log.log);
  if (!existsSync(source)) {
    const download = ['download', ...quiet, '--no-deps', '--no-binary=:all:', '--dest', folder, `${name}==${version}`];
    await runStep(`Fetching ${name}`, environmentPython(name), [...pip, ...download], log);
    await runStep(`Unpacking ${name}`, 'tar', ['-xzf', `${source}.tar.gz`, '-C', folder], log);
  }
  const install = ['install', ...quiet, `--config-settings=build-dir=${path.join(folder, 'build')}`, source];
  const env = { CMAKE_ARGS: '-DLLAVA_BUILD=OFF' };
  await runStep(`Building and installing ${name}`, environmentPython(name), [...pip, ...install], { ...log, env });
}

const peers = {
  'winnow-cpp': buildEngine,
  'llama.cpp': buildLlama,
  'openvino-genai': () => installPython('openvino-genai', ['--only-binary=:all:', 'openvino-genai==2026.4.1.0']),
  'llama-cpp-python': installLlamaCppPython,
  // PyTorch's build with CUDA where there is no other: several GB.
  transformers: () =>
    installPython('transformers', ['torch==2.13.0', 'transformers==5.24.0', 'gguf==0.19.0', 'accelerate==1.15.0']),
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
