// The measure of accuracy on the F16 twin of the default model, where arithmetic is all that can differ from PyTorch.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import { assertAccuracy, scoreAlone } from './helpers/accuracy.js';
import type { Reference } from './helpers/accuracy.js';
import { readReference } from './helpers/files.js';
import { f16Model } from './helpers/made-models.js';

// llama.cpp alone, without our engine, is 0.00118 from PyTorch on these items.
test('log-likelihoods of an F16 model are as close to PyTorch float32 as those of llama.cpp alone', async (t) => {
  t.timeout(300_000);
  const reference = readReference<Reference>('loglikelihood-f16.json');
  const model = await loadModel(await f16Model(reference.modelSha256), { contextSize: 2048, gpuLayers: 0 });
  try {
    assertAccuracy(t, await scoreAlone(model, reference), reference, { bound: 0.0016, closeMargin: 0.02 });
  } finally {
    await model.close();
  }
});
