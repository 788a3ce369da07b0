// The measure of accuracy: log-likelihoods of the default model against PyTorch, and against themselves on other ways.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Likelihood, Model } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import {
  accuracyBounds,
  assertAccuracy,
  loadForAccuracy,
  meanDifference,
  scoreAlone,
  textsOf,
} from './helpers/accuracy.js';
import type { Reference, ReferenceItem } from './helpers/accuracy.js';
import { readReference } from './helpers/files.js';

const reference = readReference<Reference>('loglikelihood-q4_1.json');

/** Enough for the other ways: 50 continuations, the two longest contexts among them. */
const everyFourth = <Value>(values: readonly Value[]) => values.filter((_, index) => index % 4 === 3);
const sample = everyFourth(reference.items);

/** Nats per token. ggml's kernels depend on what shares the step; batch-invariant ones must agree to the bit. */
const agreement = (model: Model) => (model.info.capabilities.batchInvariant ? 0 : 0.03);

let model: Model;
let fresh: Likelihood[][];

test.before(async (t) => {
  t.timeout(300_000);
  model = await loadForAccuracy(defaultModel);
  fresh = await scoreAlone(model, reference.items);
});
test.after.always(() => model?.close());

function assertAgrees(t: ExecutionContext, scored: Likelihood[][]): void {
  const mean = meanDifference(scored.flat(), everyFourth(fresh).flat());
  t.log(`mean difference to the fresh evaluation: ${mean.toFixed(5)} nats per token`);
  t.true(mean <= agreement(model), `${mean} > ${agreement(model)}`);
}

test.serial('contexts and continuations are tokenised as by the reference tokenizer', (t) => {
  for (const { context, contextTokens, opening, endings } of reference.items) {
    t.deepEqual([...model.tokenize(context)], contextTokens, context);
    for (const { text, tokens } of endings) {
      const joint = context + opening.text + text;
      t.deepEqual([...model.tokenize(joint)], [...contextTokens, ...opening.tokens, ...tokens], joint);
    }
  }
});

test.serial('log-likelihoods are as close to PyTorch float32 as those of llama.cpp alone', (t) => {
  t.true(fresh.flat().length >= 200);
  assertAccuracy(t, fresh, reference, accuracyBounds.q4_1);
});

test.serial('what PyTorch writes with a clear lead at each token is greedy here too', async (t) => {
  t.timeout(120_000);
  const written = sample.filter(({ greedy }) => greedy !== '');
  t.true(written.length >= 5);
  for (const { context, opening, greedy } of written) {
    const [scored] = await model.logLikelihood({ prompt: context + opening.text }, [greedy]);
    t.true(scored.isGreedy, opening.text + greedy);
  }
});

test.serial('a context in the cache gives the log-likelihoods of a fresh one', async (t) => {
  t.timeout(120_000);
  const before = model.stats().prefixHitTokens;
  const cached = await scoreAlone(model, sample);
  const contextTokens = sample.reduce((total, item) => total + item.contextTokens.length, 0);
  t.true(model.stats().prefixHitTokens - before >= contextTokens - sample.length); // All but the last of each.
  assertAgrees(t, cached);
});

test.serial('a fork of a pinned prefix gives the log-likelihoods of a fresh context', async (t) => {
  t.timeout(120_000);
  const scoreForked = async (item: ReferenceItem) => {
    const prefix = await model.prefill({ prompt: item.context });
    try {
      return await prefix.logLikelihood(textsOf(item));
    } finally {
      await prefix.close();
    }
  };
  const forked: Likelihood[][] = [];
  for (const item of sample) forked.push(await scoreForked(item));
  assertAgrees(t, forked);
});

test.serial('all contexts at once give the log-likelihoods of one after the other', async (t) => {
  t.timeout(120_000);
  const requests = sample.map((item) => model.logLikelihood({ prompt: item.context }, textsOf(item)));
  assertAgrees(t, await Promise.all(requests));
});

test.serial('continuations scored one by one have the log-likelihoods that they have together', async (t) => {
  t.timeout(120_000);
  const single: Likelihood[][] = [];
  for (const item of sample) {
    const scored: Likelihood[] = [];
    for (const text of textsOf(item)) scored.push(...(await model.logLikelihood({ prompt: item.context }, [text])));
    single.push(scored);
  }
  assertAgrees(t, single);
});
