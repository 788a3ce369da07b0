// npm run build [-- --cuda [--arch 90] [--fetch-cublas]] [--native] [--debug]     the addon and dist/
import { parseArgs } from 'node:util';
import { printFailure } from './lib/step.mjs';
import { buildAddon, buildCudaAddon, buildTypescript, installDependencies } from './lib/steps.mjs';

const usage = `npm run build -- [options]
  --cuda          an addon for NVIDIA GPUs too, in build/cuda (needs nvcc and cuBLAS)
  --arch LIST     compute capabilities to build it for, as 90 or 86,89; default: of the devices present
  --fetch-cublas  gets cuBLAS from PyPI where the toolkit lacks it (420 MB)
  --native        for this machine's processor only: such a build is not packed
  --debug         without optimisation, with symbols`;

function readOptions() {
  const boolean = { type: 'boolean', default: false };
  const options = {
    ...{ cuda: boolean, arch: { type: 'string' }, 'fetch-cublas': boolean },
    ...{ native: boolean, debug: boolean, help: boolean },
  };
  try {
    return parseArgs({ options }).values;
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
    if (options.cuda) await buildCudaAddon({ arch: options.arch, fetchCublas: options['fetch-cublas'] });
    await buildTypescript();
  } catch (error) {
    printFailure(error);
    process.exitCode = 1;
  }
}
