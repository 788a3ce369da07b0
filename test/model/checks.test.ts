// Checks of running candidates on real backends: what they see, what they cost, and whom they stop.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import type { Model, Questions } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { openTinyLlama } from './helpers/tiny.js';

let tiny: Model;

test.before(async () => {
  tiny = await openTinyLlama({ contextSize: 512 });
});
test.after.always(() => tiny?.close());

const prompt = Array.from({ length: 40 }, (_, index) => (index * 7) % 200);
const platt = { method: 'platt', slope: 1.5, intercept: -0.25 } as const;
const questions = {
  raw: { type: 'labels', suffix: [5, 9], labels: { a: [17], b: [30, 31], c: [4] } },
  mean: { type: 'labels', suffix: [8], labels: { a: [17, 18, 19], b: [30] }, normalization: 'mean' },
  prior: { type: 'labels', suffix: [8, 3], labels: { a: [21], b: [33] }, normalization: 'prior' },
  platt: { type: 'labels', suffix: [], labels: { a: [40], b: [41] }, calibration: platt },
} as const satisfies Questions;
const any = { label: 'a', min: 0 } as const;
const thresholds = { raw: any, mean: any, prior: any, platt: any };

test.serial('a check’s scores are the answers to its questions behind the text so far', async (t) => {
  const prefix = await tiny.prefill({ prompt });
  const sampling = prefix.sample({
    count: 4,
    maxTokens: 12,
    seed: 3,
    ignoreEos: true,
    checks: { every: 5, questions, thresholds },
  });
  const checked: { candidate: number; position: number; scores: Record<string, number> }[] = [];
  for await (const event of sampling) if (event.type === 'candidate-check') checked.push(event);
  const { candidates } = await sampling.result();
  t.is(checked.length, 4 * 2);
  for (const { candidate, position, scores } of checked) {
    const text = candidates[candidate].tokenIds.slice(0, position);
    const answers = await tiny.classify({ prompt: [...prompt, ...text] }, questions);
    for (const [name, answer] of Object.entries(answers)) {
      const difference = Math.abs(scores[name] - answer.probabilities.a);
      t.true(difference < 1e-4, `${name} differs by ${difference}`);
    }
  }
  await prefix.close();
});

test.serial('checks take no step of their own, and one row per token of their questions', async (t) => {
  const prefix = await tiny.prefill({ prompt });
  const run = async (checks: boolean) => {
    const before = tiny.stats();
    const options = { count: 6, maxTokens: 24, seed: 9, ignoreEos: true };
    const every = { every: 6, questions, thresholds };
    const { candidates, usage } = await prefix.sample({ ...options, ...(checks && { checks: every }) }).result();
    const { steps } = tiny.stats();
    return { steps: steps - before.steps, texts: candidates.map(({ tokenIds }) => tokenIds), usage };
  };
  const plain = await run(false);
  const checked = await run(true);
  t.is(checked.steps, plain.steps);
  t.deepEqual(checked.texts, plain.texts);
  const rows = 2 + 1 + (1 + 2) + 2; // Suffixes, and the inner nodes of the labels: 30; 17, 18.
  t.is(checked.usage.questionTokens, 6 * 3 * rows);
  await prefix.close();
});

test.serial('those that a check stops were the same until then, and their cells are free', async (t) => {
  const prefix = await tiny.prefill({ prompt });
  const options = { count: 8, maxTokens: 40, seed: 5, ignoreEos: true };
  const plain = await prefix.sample(options).result();
  const before = tiny.stats();
  const result = await prefix
    .sample({
      ...options,
      checks: { every: 8, questions: { raw: questions.raw }, thresholds: { raw: { label: 'a', min: 0.34 } } },
    })
    .result();
  const stopped = result.candidates.filter(({ reason }) => reason === 'rejected');
  t.true(stopped.length > 0 && stopped.length < 8, `${stopped.length} of 8`);
  result.candidates.forEach(({ tokenIds, tokens, rejection }, index) => {
    t.deepEqual(tokenIds, plain.candidates[index].tokenIds.slice(0, tokens));
    if (rejection) t.is(rejection.position, tokens);
  });
  t.is(result.checks?.rejected, stopped.length);
  const drawn = result.candidates.reduce((total, { tokens }) => total + tokens, 0);
  t.is(result.usage.generatedTokens, drawn);
  t.is(result.checks?.savedTokens, 8 * 40 - drawn);
  const grown = tiny.stats().usedCells - before.usedCells;
  t.true(grown <= (8 - stopped.length) * 39, `${grown} cells stay cached, more than of those that ran to their end`);
  await prefix.close();
});

test.serial('a refill is the candidate of its number', async (t) => {
  const prefix = await tiny.prefill({ prompt });
  const options = { maxTokens: 24, seed: 5, ignoreEos: true };
  const many = await prefix.sample({ ...options, count: 12 }).result();
  const checks = { every: 8, questions: { raw: questions.raw }, thresholds: { raw: { label: 'a', min: 0.34 } } };
  const result = await prefix.sample({ ...options, count: 4, checks: { ...checks, refill: 8 } }).result();
  t.true(result.candidates.length > 4, `${result.candidates.length} candidates`);
  result.candidates.forEach(({ tokenIds, tokens }, index) =>
    t.deepEqual(tokenIds, many.candidates[index].tokenIds.slice(0, tokens)),
  );
  await prefix.close();
});

test.serial('a turn stops candidates at the ends of sentences and ranks the others', async (t) => {
  t.timeout(180_000);
  const model = await loadModel(defaultModel, { contextSize: 1024, gpuLayers: 0 });
  t.teardown(() => model.close());
  const prefix = await model.prefill({ prompt: 'The weather in the mountains was' });
  const cold = { type: 'labels', suffix: ' It was', labels: { cold: ' cold', warm: ' warm' } } as const;
  const draw = (min: number) =>
    prefix
      .winnow({
        candidates: 8,
        maxTokens: 48,
        topK: 40,
        seed: 2,
        attributes: { cold },
        rank: (scores) => scores.cold.cold,
        checks: { every: 'sentence', questions: { cold }, thresholds: { cold: { label: 'cold', min } } },
      })
      .result();
  const all = await draw(0);
  t.is(all.stopped.length, 0);
  const some = await draw(0.6);
  t.true(some.stopped.length > 0, 'somebody is stopped');
  t.is(some.stopped.length + some.candidates.length, 8);
  for (const { candidate, text, rejection } of some.stopped) {
    t.true(all.candidates[candidate].text.startsWith(text));
    t.regex(text, /[.?!…]["'”’)*\s]*$/);
    t.true(rejection!.score < 0.6);
  }
  t.true(some.usage.generatedTokens < all.usage.generatedTokens);
});
