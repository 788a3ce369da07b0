// The C++ suites of one CMake preset: configure, build, ctest.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { inRoot, logFolder } from './paths.mjs';
import { parseJunit } from './results.mjs';
import { runStep, StepError } from './step.mjs';
import { generatorArguments, jobs } from './steps.mjs';
import { has, requireBuildTools, rootPrefix } from './tools.mjs';

const gtestAdvice =
  'Install GoogleTest and run the same command again:\n' +
  '  Debian, Ubuntu: sudo apt-get install -y libgtest-dev\n' +
  '  Fedora:         sudo dnf install -y gtest-devel\n' +
  '  macOS:          brew install googletest';

const configureAdvice = (output) => {
  if (/GoogleTest is missing/.test(output)) return gtestAdvice;
  if (/cannot find.*(lib)?(asan|ubsan|tsan)/.test(output)) {
    return 'The sanitizers are missing. Fedora: sudo dnf install -y libasan libubsan libtsan';
  }
  return 'If the reason is not in the log: remove the folder build/ and run the same command again.';
};

/** Where the machine lets us without asking, GoogleTest is installed; otherwise the advice above names the command. */
async function installGoogleTest() {
  const prefix = rootPrefix();
  if (!prefix || !has('apt-get')) return false;
  const [command, ...args] = [...prefix, 'apt-get'];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await runStep('Updating the package lists for GoogleTest', command, [...args, 'update'], { env, mayFail: true });
  const install = [...args, 'install', '-y', '--no-install-recommends', 'libgtest-dev'];
  await runStep('Installing GoogleTest (libgtest-dev)', command, install, { env, advice: gtestAdvice });
  return true;
}

async function configure(preset) {
  if (existsSync(inRoot('build', preset, 'CMakeCache.txt')) && (await configuredWell(preset))) return;
  const args = ['--preset', preset, ...generatorArguments()];
  const options = { log: `${preset}-configure`, advice: configureAdvice };
  const { code, output } = await runStep(`Configuring ${preset}`, 'cmake', args, { ...options, mayFail: true });
  if (code === 0) return;
  if (/GoogleTest is missing/.test(output)) await installGoogleTest();
  await runStep(`Configuring ${preset} again`, 'cmake', args, options);
}

// A configure step that failed leaves a cache behind, but no build files.
const configuredWell = (preset) =>
  ['build.ninja', 'Makefile'].some((file) => existsSync(inRoot('build', preset, file)));

// ThreadSanitizer can't place its shadow memory where addresses are randomised in too many bits (Linux 6.6 and later).
function withoutAddressRandomisation(preset, command, args) {
  if (preset !== 'tsan' || !has('setarch', ['-R', 'true'])) return [command, args];
  return ['setarch', ['-R', command, ...args]];
}

async function run(preset, title, command, args, options) {
  const [wrapped, wrappedArgs] = withoutAddressRandomisation(preset, command, args);
  return runStep(title, wrapped, wrappedArgs, options);
}

const sanitizerEnvironment = {
  ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1',
};

/** `extra` goes to ctest, for example ['-R', 'KvCache']. */
export async function runCppSuite(preset, extra = []) {
  requireBuildTools();
  await configure(preset);
  const build = ['--build', inRoot('build', preset), '--parallel', process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? jobs];
  const options = { log: `${preset}-build`, advice: configureAdvice, env: sanitizerEnvironment };
  await run(preset, `Building the C++ suites (${preset})`, 'cmake', build, options);
  const report = path.join(logFolder, `${preset}-ctest.xml`);
  rmSync(report, { force: true });
  const folder = inRoot('build', preset);
  const test = ['--test-dir', folder, '--output-on-failure', '--output-junit', report, '--parallel', jobs, ...extra];
  const ended = await run(preset, `Running the C++ suites (${preset})`, 'ctest', test, {
    log: `${preset}-ctest`,
    mayFail: true,
    env: sanitizerEnvironment,
  });
  return parseJunit(existsSync(report) ? readFileSync(report, 'utf8') : '', ended.code);
}

/** The kernels for 64-bit ARM: cross-compiled, run by an emulator. */
export function runNeonSuite(extra) {
  if (!has('aarch64-linux-gnu-g++') || !has('qemu-aarch64')) {
    const advice = 'Install them: sudo apt-get install -y g++-aarch64-linux-gnu qemu-user libgtest-dev';
    throw new StepError('The kernels for ARM', { reason: 'a cross compiler or an emulator is missing', advice });
  }
  return runCppSuite('neon', extra);
}
