import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const inRoot = (...parts) => path.join(root, ...parts);
export const buildFolder = inRoot('build');
export const logFolder = inRoot('build', 'logs');
/** The addon on llama.cpp, as `npm run build` makes it, and the one on the fake backend, for test/native. */
export const addonFile = inRoot('build', 'release', 'winnow.node');
/** The one with CUDA, beside it: where it can't be loaded the other one is. */
export const cudaAddonFile = inRoot('build', 'cuda', 'winnow.node');
export const testAddonFile = inRoot('build', 'addon-test', 'winnow_test.node');
export const benchAddonFile = inRoot('build', 'addon-bench', 'winnow_test.node');
