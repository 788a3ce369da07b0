import { existsSync } from 'node:fs';
import { inRoot } from './files.js';
import { tinyModel } from './made-models.js';
import { runPython } from './python.js';
import { tinyModelFile } from './tiny.js';

/** tiny-llama, two adapters for it, and the model with them in its weights. */
export interface TinyLoras {
  model: string;
  /** Every matrix, rank 4, alpha 8, F32. */
  a: string;
  /** Queries and values, rank 8, no alpha, F32. */
  b: string;
  /** The same numbers in F16. */
  f16: string;
  /** With 1 · a. */
  mergedA: string;
  /** With 0.5 · a + 2 · b. */
  merged: string;
}

const hashes = {
  a: '7c8646040e6817518bdcdab50af873dfbaa881712afd09066717ab5c8e5d54b6',
  b: 'ee336442d9568c196c1330203be8f411527e638a6581ada8dde16ccff9b75cff',
  f16: 'c56a461bb9be11eb39871c174c1defc271132510bd3eb215d85ff1c83216d205',
};

/** The merged ones come of matrix products, whose last bits differ between machines. */
export async function tinyLoras(): Promise<TinyLoras> {
  const model = await tinyModelFile('tiny-llama');
  const a = await tinyModel('tiny-lora-a', hashes.a);
  const b = await tinyModel('tiny-lora-b', hashes.b);
  const f16 = await tinyModel('tiny-lora-b-f16', hashes.f16);
  const [mergedA, merged] = ['a', ''].map((end) =>
    inRoot('build', 'models', `tiny-llama-merged${end && '-'}${end}.gguf`),
  );
  if (!existsSync(mergedA) || !existsSync(merged)) await runPython('make-tiny-models.py', [inRoot('build', 'models')]);
  return { model, a, b, f16, mergedA, merged };
}

/** One of the adapters that can't be used, such as 'ranks'. */
export const badAdapter = (name: string) => inRoot('build', 'models', `tiny-lora-bad-${name}.gguf`);
