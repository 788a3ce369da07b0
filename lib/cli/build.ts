// winnow build: the addon from source, in a checkout.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { AddonLoadError, packageRoot } from '../addon.js';
import { exampleLines, runCommand } from './command.js';

interface BuildOptions {
  cuda: boolean;
  arch?: string;
  fetchCublas: boolean;
  native: boolean;
  debug: boolean;
}

export const buildCommand = new Command('build')
  .description('build the addon from source, in a checkout of the repository')
  .option('--cuda', 'an addon for NVIDIA GPUs too (needs nvcc and cuBLAS)', false)
  .option('--arch <list>', 'compute capabilities to build it for, as 90 or 86,89; default: of the devices present')
  .option('--fetch-cublas', 'get cuBLAS from PyPI where the toolkit lacks it (420 MB)', false)
  .option('--native', "for this machine's processor only: such a build is not packed", false)
  .option('--debug', 'without optimisation, with symbols', false)
  .addHelpText('after', exampleLines('build', 'build --cuda --arch 90'))
  .action((options: BuildOptions) => runCommand((signal) => build(options, signal)));

async function build({ cuda, arch, fetchCublas, native, debug }: BuildOptions, signal: AbortSignal): Promise<void> {
  const script = path.join(packageRoot(), 'scripts', 'build.mjs');
  if (!existsSync(script)) throw new AddonLoadError([], adviceWithoutSources);
  const flags = { '--cuda': cuda, '--fetch-cublas': fetchCublas, '--native': native, '--debug': debug };
  const given = Object.entries(flags).flatMap(([flag, isSet]) => (isSet ? [flag] : []));
  const args = [script, ...given, ...(arch === undefined ? [] : ['--arch', arch])];
  const child = spawn(process.execPath, args, { stdio: 'inherit', signal });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === 0) console.log(path.join(packageRoot(), 'build', cuda ? 'cuda' : 'release', 'winnow.node'));
  process.exitCode = code ?? 1;
}

const adviceWithoutSources =
  'This package holds no sources. Get the repository and its tools (git, CMake, a C++17 compiler), run there\n' +
  '  npm run build\n' +
  'and set WINNOW_ADDON to its build/release/winnow.node.';
