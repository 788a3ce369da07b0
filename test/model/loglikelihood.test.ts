// The measure of accuracy: log-likelihoods of the default model against PyTorch, and against themselves on other ways.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { loadModel } from '../../lib/index.js';
import type { Likelihood, Model } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { assertAccuracy, meanDifference, scoreAlone, textsOf } from './helpers/accuracy.js';
import type { Reference, ReferenceItem } from './helpers/accuracy.js';
import { readReference } from './helpers/files.js';

const reference = readReference<Reference>('loglikelihood-q4_1.json');
/**
 * Nats per token. ggml's kernels depend on what shares the step; batch-invariant ones must agree to the bit. The items are
 * short (4 tokens as a rule), and rounding averages out over the tokens of a continuation: measured are 0.035 to 0.038.
 */
const agreement = (model: Model) => (model.info.capabilities.batchInvariant ? 0 : 0.045);

let model: Model;
let fresh: Likelihood[];

test.before(async () => {
  model = await loadModel(defaultModel, { contextSize: 2048, gpuLayers: 0 });
});
test.after.always(() => model?.close());

function assertAgrees(t: ExecutionContext, scored: Likelihood[]): void {
  const mean = meanDifference(scored, fresh);
  t.log(`mean difference to the fresh evaluation: ${mean.toFixed(5)} nats per token`);
  t.true(mean <= agreement(model), `${mean} > ${agreement(model)}`);
}

test.serial('contexts and continuations are tokenised as by the reference tokenizer', (t) => {
  for (const { context, contextTokens, continuations } of reference.items) {
    t.deepEqual([...model.tokenize(context)], contextTokens, context);
    for (const { text, tokens } of continuations) {
      t.deepEqual([...model.tokenize(context + text)], [...contextTokens, ...tokens], context + text);
    }
  }
});

// llama.cpp alone, without our engine, is 0.0504 from PyTorch on these items (0.108 on continuations of one token, 0.021 on
// those of 8 to 20).
test.serial('log-likelihoods are as close to PyTorch float32 as those of llama.cpp alone', async (t) => {
  t.timeout(300_000);
  fresh = await scoreAlone(model, reference);
  t.true(fresh.length >= 200);
  assertAccuracy(t, fresh, reference, { bound: 0.06, closeMargin: 0.6 });
});

test.serial('a context in the cache gives the log-likelihoods of a fresh one', async (t) => {
  t.timeout(300_000);
  const before = model.stats();
  const cached = await scoreAlone(model, reference);
  const { prefixHitTokens, evaluatedTokens } = model.stats();
  t.true(prefixHitTokens - before.prefixHitTokens > evaluatedTokens - before.evaluatedTokens);
  assertAgrees(t, cached);
});

test.serial('a fork of a pinned prefix gives the log-likelihoods of a fresh context', async (t) => {
  t.timeout(300_000);
  const scoreForked = async (item: ReferenceItem) => {
    const prefix = await model.prefill({ prompt: item.context });
    try {
      return await prefix.logLikelihood(textsOf(item));
    } finally {
      await prefix.close();
    }
  };
  const forked: Likelihood[] = [];
  for (const item of reference.items) forked.push(...(await scoreForked(item)));
  assertAgrees(t, forked);
});

test.serial('all contexts at once give the log-likelihoods of one after the other', async (t) => {
  t.timeout(300_000);
  const requests = reference.items.map((item) => model.logLikelihood({ prompt: item.context }, textsOf(item)));
  assertAgrees(t, (await Promise.all(requests)).flat());
});

test.serial('continuations scored one by one have the log-likelihoods that they have together', async (t) => {
  t.timeout(300_000);
  const single: Likelihood[] = [];
  for (const { context, continuations } of reference.items) {
    for (const { text } of continuations) single.push(...(await model.logLikelihood({ prompt: context }, [text])));
  }
  assertAgrees(t, single);
});
