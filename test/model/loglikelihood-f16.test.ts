// The measure of accuracy on the F16 twin of the default model, where arithmetic is all that can differ from PyTorch.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import { assertAccuracy, scoreAlone } from './helpers/accuracy.js';
import type { Reference } from './helpers/accuracy.js';
import { readReference } from './helpers/files.js';
import { f16Model } from './helpers/made-models.js';

test('log-likelihoods of an F16 model are within 0.001 nats per token of PyTorch float32', async (t) => {
  t.timeout(180_000);
  const reference = readReference<Reference>('loglikelihood-f16.json');
  const model = await loadModel(await f16Model(reference.modelSha256), { contextSize: 2048, gpuLayers: 0 });
  try {
    assertAccuracy(t, await scoreAlone(model, reference), reference, { bound: 0.001, closeMargin: 0.02 });
  } finally {
    await model.close();
  }
});
