// The CUDA toolkit for `npm run build -- --cuda`: nvcc from this machine, cuBLAS from its toolkit or from PyPI.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from './paths.mjs';
import { runStep, StepError } from './step.mjs';
import { requirePython } from './tools.mjs';

const title = 'Looking for the CUDA toolkit';
const composedFolder = inRoot('build', 'cuda-toolkit');
const cublasFolder = inRoot('build', 'cublas');
const cublasParts = ['libcublas', 'libcublasLt'];

/** Where `nvcc` may be, the most explicit first. */
const nvccCandidates = (environment) => [
  ...(environment.CUDACXX ? [environment.CUDACXX] : []),
  ...['CUDA_HOME', 'CUDA_PATH'].flatMap((name) =>
    environment[name] ? [path.join(environment[name], 'bin', 'nvcc')] : [],
  ),
  'nvcc',
  '/usr/local/cuda/bin/nvcc',
];

/** `{ nvcc, version: '13.0', root }`; undefined where there is none. nvcc itself says its root: it may be a wrapper. */
export function findNvcc(environment = process.env) {
  for (const nvcc of nvccCandidates(environment)) {
    const version = output(nvcc, ['--version'])?.match(/release (\d+\.\d+)/)?.[1];
    const root = output(nvcc, ['--dryrun', '-x', 'cu', '-c', '/dev/null'])?.match(/^#\$ TOP=(.*)$/m)?.[1];
    if (version && root) return { nvcc, version, root: path.resolve(root) };
  }
  return undefined;
}

function output(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  return result.status === 0 ? result.stdout + result.stderr : undefined;
}

const libraryFolder = (root) => path.join(root, 'lib64');
const hasCublas = (root) =>
  existsSync(path.join(root, 'include', 'cublas_v2.h')) && existsSync(path.join(libraryFolder(root), 'libcublas.so'));

/** The PyPI requirement whose cuBLAS goes with an nvcc. */
export const cublasRequirement = (version) => `nvidia-cublas==${version}.*`;

/** The folder that PyPI's wheel fills below `target`: its name holds the major version. */
const wheelRoot = (target, version) => path.join(target, 'nvidia', `cu${version.split('.')[0]}`);

const pipArguments = (version) => [
  ...['-m', 'pip', 'install', '--no-deps', '--disable-pip-version-check'],
  ...['--target', cublasFolder, cublasRequirement(version)],
];

/**
 * A toolkit folder with nvcc and cuBLAS in it: `{ root, nvcc, version }`. Without a cuBLAS in the machine's own toolkit,
 * PyPI's is downloaded (about 420 MB) if `fetchCublas`, else a StepError says how to get it.
 */
export async function requireCudaToolkit({ fetchCublas }) {
  const found = findNvcc();
  if (!found) {
    const reason = 'nvcc was not found on the PATH, in CUDACXX, CUDA_HOME or CUDA_PATH';
    const advice =
      'Install the CUDA toolkit, 12.4 or later (Debian, Ubuntu: the package cuda-toolkit of NVIDIA’s repository,\n' +
      'or nvidia-cuda-toolkit), or name its nvcc: CUDACXX=/path/to/nvcc npm run build -- --cuda';
    throw new StepError(title, { reason, advice });
  }
  if (hasCublas(found.root)) return found;
  if (!existsSync(wheelRoot(cublasFolder, found.version))) {
    if (!fetchCublas) throw cublasMissing(found);
    await runStep('Getting cuBLAS, 420 MB', requirePython(), pipArguments(found.version), {
      log: 'cublas',
      advice: 'Check the network and the package index in use (python3 -m pip config list), then run it again.',
    });
  }
  return { ...found, root: composeToolkit(found.root, wheelRoot(cublasFolder, found.version)) };
}

function cublasMissing({ root, version }) {
  const reason = `${root} holds no cuBLAS (cublas_v2.h, libcublas.so)`;
  const advice =
    `Install it (Debian, Ubuntu: libcublas-dev-${version.replace('.', '-')} of NVIDIA’s repository), or let this command get\n` +
    `${cublasRequirement(version)} from PyPI into build/cublas: npm run build -- --cuda --fetch-cublas`;
  return new StepError(title, { reason, advice });
}

/** A folder of links into the machine's toolkit and the wheel, laid out as one toolkit. */
function composeToolkit(toolkit, cublas) {
  rmSync(composedFolder, { recursive: true, force: true });
  const libraries = path.join(composedFolder, 'lib64');
  for (const [target, sources] of [
    [path.join(composedFolder, 'include'), [path.join(toolkit, 'include'), path.join(cublas, 'include')]],
    [libraries, [libraryFolder(toolkit), path.join(cublas, 'lib')]],
  ]) {
    mkdirSync(target, { recursive: true });
    for (const source of sources) linkEntries(source, target);
  }
  // The wheel has no plain names, which linkers look for.
  const files = readdirSync(libraries);
  for (const part of cublasParts) {
    const versioned = files.find((file) => file.startsWith(`${part}.so.`));
    if (versioned && !files.includes(`${part}.so`)) symlinkSync(versioned, path.join(libraries, `${part}.so`));
  }
  for (const folder of ['bin', 'nvvm']) symlinkSync(path.join(toolkit, folder), path.join(composedFolder, folder));
  return composedFolder;
}

function linkEntries(source, target) {
  for (const entry of readdirSync(source)) {
    if (!existsSync(path.join(target, entry))) symlinkSync(path.join(source, entry), path.join(target, entry));
  }
}

/**
 * What to compile for, as CMake takes it. `arch` as given by the user, else the compute capabilities of the devices
 * present; a StepError asks for `--arch` where there is none.
 */
export function requireCudaArchitectures(arch) {
  if (arch !== undefined) {
    const list = arch.split(/[,;]/);
    if (list.every((each) => /^\d{2,3}[af]?(-real|-virtual)?$/.test(each))) return list.join(';');
    const reason = `--arch ${arch} is not a list of compute capabilities`;
    throw new StepError(title, { reason, advice: 'Write them without dots: --arch 90, or --arch 86,89' });
  }
  const capabilities = output('nvidia-smi', ['--query-gpu=compute_cap', '--format=csv,noheader'])?.match(/\d+\.\d+/g);
  if (capabilities?.length) return [...new Set(capabilities.map((each) => each.replace('.', '')))].join(';');
  const reason = 'no NVIDIA device was found here, so what to build for has to be said';
  const advice = 'Name the compute capability: --arch 80 (A100), 86 (RTX 30), 89 (RTX 40, L4), 90 (H100), 120 (RTX 50)';
  throw new StepError(title, { reason, advice });
}
