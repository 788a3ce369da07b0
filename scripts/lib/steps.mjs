// The steps that quickstart, build and test share: each does nothing where its result is already there and fresh.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { requireCudaArchitectures, requireCudaToolkit } from './cuda.mjs';
import { addonFile, benchAddonFile, cudaAddonFile, inRoot, testAddonFile } from './paths.mjs';
import { runStep, StepError } from './step.mjs';
import { has, requireBuildTools } from './tools.mjs';

const modified = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);
export const jobs = String(os.availableParallelism());
export const generatorArguments = () => (has('ninja') ? ['-G', 'Ninja'] : []);

/** npm ci, where node_modules is missing or older than the lock file. Install scripts never run: none is needed. */
export async function installDependencies() {
  if (modified(inRoot('node_modules', '.package-lock.json')) >= modified(inRoot('package-lock.json'))) return;
  // Under `npm run` this is npm's own script; a bare `node scripts/…` finds npm on the PATH.
  const npm = process.env.npm_execpath;
  const [command, prefix] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const args = [...prefix, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  await runStep('Installing the packages', command, args, {
    log: 'install',
    advice: 'Check the network and the npm registry in use (npm config get registry), then run the same command again.',
  });
}

const cmakeJs = (command, folder, options, extra = []) => [
  inRoot('node_modules', 'cmake-js', 'bin', 'cmake-js'),
  command,
  '--out',
  folder,
  ...options,
  ...extra,
];

const buildAdvice = (output) => {
  if (/No CMAKE_CUDA_COMPILER|CUDA Toolkit not found|Could NOT find CUDA/.test(output)) {
    return 'CMake could not use this CUDA toolkit: name another nvcc by CUDACXX, or build without --cuda.';
  }
  if (/No space left on device/.test(output))
    return 'The disk is full: free some space and run the same command again.';
  if (/Killed signal terminated|out of memory/i.test(output)) {
    return 'The compiler ran out of memory: close other programs, or set CMAKE_BUILD_PARALLEL_LEVEL=1, and run again.';
  }
  return 'If the reason is not in the log: remove the folder build/ and run the same command again.';
};

/** Configures where the options changed and lets the build tool find what is stale (under a second if nothing is). */
async function buildWithCmakeJs(title, folder, options, result, env = {}) {
  requireBuildTools();
  const name = path.basename(folder);
  const stamp = path.join(folder, 'winnow-options.json');
  const wanted = JSON.stringify([options, has('ninja')]);
  const fresh = existsSync(path.join(folder, 'CMakeCache.txt')) && existsSync(stamp);
  if (!fresh || readFileSync(stamp, 'utf8') !== wanted) {
    // Another generator (Ninja came or went) can't take over what this one has configured.
    rmSync(path.join(folder, 'CMakeCache.txt'), { force: true });
    rmSync(path.join(folder, 'CMakeFiles'), { recursive: true, force: true });
    const args = cmakeJs('configure', folder, options);
    await runStep(`Configuring ${title}`, process.execPath, args, {
      log: `${name}-configure`,
      advice: buildAdvice,
      env,
    });
    mkdirSync(folder, { recursive: true });
    writeFileSync(stamp, wanted);
  }
  const parallel = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? jobs;
  const args = cmakeJs('build', folder, options, ['--parallel', parallel]);
  await runStep(`Building ${title}`, process.execPath, args, { log: `${name}-build`, advice: buildAdvice, env });
  if (existsSync(result)) return;
  throw new StepError(`Building ${title}`, { reason: `${result} was not made`, advice: buildAdvice('') });
}

/**
 * The addon. Portable (x86-64-v3) unless `native`; instructions beyond that are chosen at run time.
 * GGML_METAL is llama.cpp's own default on macOS.
 */
export function buildAddon({ debug = false, native = false } = {}) {
  const options = [...(debug ? ['--config', 'Debug'] : []), `--CDGGML_NATIVE=${native ? 'ON' : 'OFF'}`];
  const minutes = existsSync(addonFile) ? '' : ' and llama.cpp, 5 to 8 minutes the first time';
  return buildWithCmakeJs(`the addon${minutes}`, inRoot('build', 'release'), options, addonFile);
}

/**
 * The addon with CUDA, a file of its own in build/cuda. `arch`: compute capabilities without their dots, as CMake takes
 * them ('90', '86;89'); undefined = those of the devices present. `fetchCublas`: see requireCudaToolkit.
 */
export async function buildCudaAddon({ arch, fetchCublas = false } = {}) {
  const architectures = requireCudaArchitectures(arch);
  const { root, nvcc } = await requireCudaToolkit({ fetchCublas });
  const options = ['--CDGGML_CUDA=ON', `--CDCMAKE_CUDA_ARCHITECTURES=${architectures}`, `--CDCUDAToolkit_ROOT=${root}`];
  const minutes = existsSync(cudaAddonFile) ? '' : ', about half an hour on 2 cores the first time';
  await buildWithCmakeJs(`the addon with CUDA${minutes}`, inRoot('build', 'cuda'), options, cudaAddonFile, {
    CUDACXX: nvcc,
  });
}

/** The options that the addon in build/release was last configured with, as `npm run build` was given them. */
export function configuredAddonOptions() {
  const stamp = inRoot('build', 'release', 'winnow-options.json');
  if (!existsSync(stamp)) return {};
  const [options] = JSON.parse(readFileSync(stamp, 'utf8'));
  return {
    debug: options.includes('Debug'),
    native: options.includes('--CDGGML_NATIVE=ON'),
  };
}

/** The addon on the fake backend: no llama.cpp, so it is there in seconds. */
/** As `buildTestAddon()`, optimised: for figures of what is around a backend that computes nothing. */
export function buildBenchAddon() {
  const options = ['--config', 'Release', '--CDWINNOW_LLAMA=OFF', '--CDWINNOW_ADDON=OFF', '--CDWINNOW_ADDON_TEST=ON'];
  return buildWithCmakeJs(
    'the optimised addon on the fake backend',
    inRoot('build', 'addon-bench'),
    options,
    benchAddonFile,
  );
}

export function buildTestAddon() {
  const options = ['--config', 'Debug', '--CDWINNOW_LLAMA=OFF', '--CDWINNOW_ADDON=OFF', '--CDWINNOW_ADDON_TEST=ON'];
  return buildWithCmakeJs('the addon on the fake backend', inRoot('build', 'addon-test'), options, testAddonFile);
}

/** The addon with llama.cpp under AddressSanitizer, for test:llama-sanitizers. */
export function buildSanitizedAddon() {
  const sanitized = ['LLAMA_SANITIZE_ADDRESS', 'GGML_SANITIZE_ADDRESS'].map((name) => `--CD${name}=ON`);
  const options = ['--config', 'RelWithDebInfo', '--CDWINNOW_SANITIZE=address', ...sanitized];
  const folder = inRoot('build', 'addon-asan');
  return buildWithCmakeJs('the addon under AddressSanitizer', folder, options, path.join(folder, 'winnow.node'));
}

const compiler = () => inRoot('node_modules', 'typescript', 'bin', 'tsc');

/** dist/: what the package holds. Incremental, about a second if nothing changed. */
export function buildTypescript() {
  return runStep('Compiling TypeScript', process.execPath, [compiler(), '-p', inRoot('tsconfig.build.json')], {
    advice: 'The compiler names the lines above.',
  });
}

export function buildTests() {
  return runStep('Compiling the tests', process.execPath, [inRoot('scripts', 'build-tests.mjs')], {
    advice: 'The compiler names the lines above.',
  });
}
