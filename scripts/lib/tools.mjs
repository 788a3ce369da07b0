// What has to be on the machine, and the exact command that puts it there.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { StepError } from './step.mjs';

const packages = {
  cmake: { debian: 'cmake', fedora: 'cmake', macos: 'brew install cmake' },
  git: { debian: 'git', fedora: 'git', macos: 'xcode-select --install' },
  'a C++17 compiler': { debian: 'g++', fedora: 'gcc-c++', macos: 'xcode-select --install' },
  'ninja or make': { debian: 'ninja-build', fedora: 'ninja-build', macos: 'brew install ninja' },
  'Python 3': { debian: 'python3', fedora: 'python3', macos: 'brew install python' },
  'pip for Python 3': { debian: 'python3-pip', fedora: 'python3-pip', macos: 'brew install python' },
};

export function installAdvice(tool) {
  const { debian, fedora, macos } = packages[tool];
  return (
    `Install ${tool} and run the same command again:\n` +
    `  Debian, Ubuntu: sudo apt-get install -y ${debian}\n` +
    `  Fedora:         sudo dnf install -y ${fedora}\n` +
    `  macOS:          ${macos}`
  );
}

const output = (command, args) => {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return result.status === 0 ? result.stdout : undefined;
};
export const has = (command, args = ['--version']) => output(command, args) !== undefined;

export const python = () => ['python3', 'python'].find((name) => output(name, ['--version'])?.startsWith('Python 3'));

function missing(tool, reason = `${tool} is missing`) {
  throw new StepError('Looking for the build tools', { reason, advice: installAdvice(tool) });
}

function requireCmake() {
  const version = output('cmake', ['--version'])?.match(/(\d+)\.(\d+)/);
  if (!version) missing('cmake');
  const [, major, minor] = version.map(Number);
  if (major < 3 || (major === 3 && minor < 21)) missing('cmake', `cmake ${major}.${minor} is too old, 3.21 is needed`);
}

export function requireBuildTools() {
  requireCmake();
  if (!has('git')) missing('git');
  if (process.platform === 'win32') return; // cmake-js looks for Visual Studio itself.
  if (!['c++', 'g++', 'clang++', process.env.CXX].some((name) => name && has(name))) missing('a C++17 compiler');
  if (!has('ninja') && !has('make')) missing('ninja or make');
}

/** Python brings the default model and clang-format, through pip. Returns the command's name. */
export function requirePython() {
  const name = python();
  if (!name) missing('Python 3');
  if (!has(name, ['-m', 'pip', '--version'])) missing('pip for Python 3');
  return name;
}

/** The prefix of a command that runs as root without asking, or undefined where there is none. */
export function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return has('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined;
}
