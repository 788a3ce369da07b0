// npm run build [-- --cuda] [--native] [--debug]     the addon and dist/
import { parseArgs } from 'node:util';
import { printFailure } from './lib/step.mjs';
import { buildAddon, buildTypescript, installDependencies } from './lib/steps.mjs';

const usage = `npm run build -- [options]
  --cuda    also for NVIDIA GPUs (needs the CUDA toolkit)
  --native  for this machine's processor only: such a build is not packed
  --debug   without optimisation, with symbols`;

function readOptions() {
  const boolean = { type: 'boolean', default: false };
  try {
    return parseArgs({ options: { cuda: boolean, native: boolean, debug: boolean, help: boolean } }).values;
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}

const options = readOptions();
if (options.help) {
  console.log(usage);
} else {
  try {
    await installDependencies();
    await buildAddon(options);
    await buildTypescript();
  } catch (error) {
    printFailure(error);
    process.exitCode = 1;
  }
}
