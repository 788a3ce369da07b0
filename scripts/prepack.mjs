// Before `npm pack` and `npm publish`: dist/ and the addon of this platform go into the package. The addon must be
// portable: one that was built for this machine's processor only would die on another.
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { addonFile, inRoot } from './lib/paths.mjs';
import { printFailure, StepError } from './lib/step.mjs';
import { buildAddon, buildTypescript, configuredAddonOptions, installDependencies } from './lib/steps.mjs';

/** The build's own record, not what it was asked for: CMake may have been run by hand. */
function requirePortable() {
  const cache = readFileSync(inRoot('build', 'release', 'CMakeCache.txt'), 'utf8');
  const value = (name) => new RegExp(`^${name}(?::\\w+)?=(.*)$`, 'm').exec(cache)?.[1];
  const refusals = [
    [value('GGML_NATIVE') === 'ON', 'it was built with --native, for this machine only'],
    [value('CMAKE_BUILD_TYPE') === 'Debug', 'it was built with --debug'],
  ];
  const [, reason] = refusals.find(([applies]) => applies) ?? [];
  if (reason) throw new StepError('Packing the addon', { reason, advice: 'Build the portable one: npm run build' });
}

function copyAddon() {
  const folder = inRoot('prebuilds', `${process.platform}-${process.arch}`);
  rmSync(inRoot('prebuilds'), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyFileSync(addonFile, path.join(folder, 'winnow.node'));
}

try {
  await installDependencies();
  await buildAddon(configuredAddonOptions());
  requirePortable();
  // Files whose sources are gone must not be packed.
  rmSync(inRoot('dist'), { recursive: true, force: true });
  rmSync(inRoot('build', 'dist.tsbuildinfo'), { force: true });
  await buildTypescript();
  copyAddon();
} catch (error) {
  printFailure(error);
  process.exitCode = 1;
}
