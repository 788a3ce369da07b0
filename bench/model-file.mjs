import { defaultModel, resolveModel } from '../dist/models/index.js';

/** The file of the default model, fetched if it isn't there yet. */
export async function defaultModelFile() {
  return (await resolveModel(defaultModel)).paths[0];
}
