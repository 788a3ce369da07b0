import { existsSync, readdirSync } from 'node:fs';
import { inRoot } from './paths.mjs';

/** Paths below the root, with forward slashes, of the files of these folders that end in one of these endings. */
export function listFiles(folders, endings) {
  return folders
    .filter((folder) => existsSync(inRoot(folder)))
    .flatMap((folder) => readdirSync(inRoot(folder), { recursive: true }).map((file) => `${folder}/${file}`))
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => endings.some((ending) => file.endsWith(ending)))
    .sort();
}

export const cppFiles = () => listFiles(['cpp', 'native', 'test/cpp', 'test/support', 'bench/cpp'], ['.cc', '.h']);
