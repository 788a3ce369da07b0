// npm run quickstart [-- options of `winnow turn`]     from a fresh clone to a LaMDA turn on a real model
import { spawn } from 'node:child_process';
import { inRoot } from './lib/paths.mjs';
import { printFailure } from './lib/step.mjs';
import { buildAddon, buildTypescript, configuredAddonOptions, installDependencies } from './lib/steps.mjs';
import { requirePython } from './lib/tools.mjs';

function runTurn(args) {
  const child = spawn(process.execPath, [inRoot('dist', 'cli', 'main.js'), 'turn', ...args], { stdio: 'inherit' });
  process.on('SIGINT', () => {}); // The turn gets it too, and says how it ended.
  child.on('exit', (code) => (process.exitCode = code ?? 1));
}

try {
  requirePython(); // For the model: better said before the build than after it.
  await installDependencies();
  await buildAddon(configuredAddonOptions());
  await buildTypescript();
  runTurn(process.argv.slice(2));
} catch (error) {
  printFailure(error);
  process.exitCode = 1;
}
