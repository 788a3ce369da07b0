// npm run check:cuda [-- --arch 90]     builds the addon with CUDA, loads it, and runs the model suite on its CPU path
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cudaAddonFile, inRoot } from './lib/paths.mjs';
import { printFailure, runStep } from './lib/step.mjs';
import { buildCudaAddon, buildTypescript, installDependencies } from './lib/steps.mjs';

const { values } = parseArgs({ options: { arch: { type: 'string', default: '90' } } });

try {
  await installDependencies();
  const start = Date.now();
  await buildCudaAddon({ arch: values.arch, fetchCublas: true });
  const minutes = ((Date.now() - start) / 60_000).toFixed(1);
  await buildTypescript();
  const env = { WINNOW_ADDON: cudaAddonFile };
  const doctor = [inRoot('dist', 'cli', 'main.js'), 'doctor', '--json'];
  const { stdout } = await runStep('Loading the addon', process.execPath, doctor, { env });
  const { addon, devices } = JSON.parse(stdout);
  const { size } = statSync(cudaAddonFile);
  console.log(`built in ${minutes} minutes for ${values.arch}: ${(size / 1e6).toFixed(0)} MB`);
  console.log(`devices: ${Object.keys(devices).length}. ${addon.build.deviceTrouble ?? ''}`);
  const suite = [inRoot('scripts', 'test.mjs'), 'model'];
  process.exitCode =
    spawnSync(process.execPath, suite, { stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1;
} catch (error) {
  printFailure(error);
  process.exitCode = 1;
}
