// The measure of accuracy on the F16 twin of the default model, where arithmetic is all that can differ from PyTorch.
import test from 'ava';
import { accuracyBounds, assertAccuracy, scoreFresh } from './helpers/accuracy.js';
import type { Reference } from './helpers/accuracy.js';
import { readReference } from './helpers/files.js';
import { f16Model } from './helpers/made-models.js';

test('log-likelihoods of an F16 model are as close to PyTorch float32 as those of llama.cpp alone', async (t) => {
  t.timeout(300_000);
  const reference = readReference<Reference>('loglikelihood-f16.json');
  const scored = await scoreFresh(await f16Model(reference.modelSha256), reference);
  assertAccuracy(t, scored, reference, accuracyBounds.f16);
});
