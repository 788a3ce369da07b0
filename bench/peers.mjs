// Where the other engines lie once `npm run bench:peers` has installed them: the cache folder, beside the models.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { defaultCacheFolder } from '../dist/models/index.js';
import { inRoot } from '../scripts/lib/paths.mjs';

export const peersFolder = path.join(defaultCacheFolder(), 'peers');
export const llamaFolder = path.join(peersFolder, 'llama.cpp');
const onWindows = process.platform === 'win32';

export const llamaProgram = (name) => path.join(llamaFolder, 'bin', onWindows ? `${name}.exe` : name);
/** Ours, in the build folder: it has to be of the same build as the addon. */
export const engineProgram = inRoot('build', 'release', 'tools', onWindows ? 'engine_alone.exe' : 'engine_alone');
export const environmentFolder = (name) => path.join(peersFolder, name);
export const environmentPython = (name) =>
  path.join(environmentFolder(name), ...(onWindows ? ['Scripts', 'python.exe'] : ['bin', 'python']));

/** A file that is there once the environment is complete: the package itself. */
export function environmentPackage(name, module) {
  if (onWindows) return path.join(environmentFolder(name), 'Lib', 'site-packages', module);
  const folder = path.join(environmentFolder(name), 'lib');
  const python = existsSync(folder) ? readdirSync(folder).find((entry) => entry.startsWith('python3')) : undefined;
  return path.join(folder, python ?? 'python3', 'site-packages', module);
}

/** What to say of a contender whose `file` is not there; undefined where it is. */
export function missingUnless(file, peer) {
  return existsSync(file) ? undefined : `not installed. Run: npm run bench:peers -- ${peer}`;
}
