import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../lib/addon.js';
import { defaultModel, resolveModel } from '../../../lib/models/index.js';

/** A path in the checkout. */
export const inRoot = (...parts: string[]): string => path.join(packageRoot(), ...parts);

/** Numbers that PyTorch computed, committed in test/model/reference with the scripts that made them. */
export const readReference = <T>(name: string): T =>
  JSON.parse(readFileSync(inRoot('test', 'model', 'reference', name), 'utf8')) as T;

/** The file of the default model, fetched if it isn't there yet. */
export async function defaultModelFile(): Promise<string> {
  return (await resolveModel(defaultModel)).paths[0];
}
