// A LaMDA turn on the default model: what is evaluated and what is shared, counted to the token (design, section 10).
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import type { Model, Stats } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { until } from './helpers/until.js';
import { makeText } from './helpers/words.js';

const contextTokens = 1024;
const candidates = 16;
const maxTokens = 64;
const suffixTokens = 2;
const names = ['sensible', 'specific', 'interesting', 'unsafe'] as const;
const questionTokens = names.length * suffixTokens; // Σ t_q: one-token labels are read, not evaluated.

let model: Model;

test.before(async () => {
  model = await loadModel(defaultModel, { contextSize: 2048, maxSequences: 64, gpuLayers: 0 });
});
test.after.always(() => model?.close());

const tokensOf = (text: string, count: number) => [...model.tokenize(text)].slice(0, count);

function makeAttributes() {
  const [yes, no] = [tokensOf(' yes', 1), tokensOf(' no', 1)];
  const question = (suffix: string) => ({
    type: 'labels' as const,
    suffix: tokensOf(suffix, suffixTokens),
    labels: { yes, no },
  });
  return {
    sensible: question('\nSensible:'),
    specific: question(' Is specific'),
    interesting: question('; dull?'),
    unsafe: question('Unsafe then'),
  };
}

const difference = (after: Stats, before: Stats, name: 'evaluatedTokens') => after[name] - before[name];

test.serial('a turn evaluates the context once, and one token and the questions per candidate', async (t) => {
  t.timeout(180_000);
  const attributes = makeAttributes();
  t.true(Object.values(attributes).every(({ suffix }) => suffix.length === suffixTokens));
  const before = model.stats();
  const prefix = await model.prefill({ prompt: tokensOf(makeText(1, 200), contextTokens) });
  t.is(model.stats().usedCells, contextTokens);

  const turn = prefix.winnow({
    candidates,
    maxTokens,
    ignoreEos: true,
    topK: 40,
    temperature: 1,
    seed: 3,
    attributes,
    keep: ({ unsafe }) => unsafe.yes < unsafe.no,
    rank: ({ sensible, specific, interesting }) => 3 * sensible.yes + specific.yes + interesting.yes,
  });
  let mostCells = 0;
  for await (const event of turn) {
    if (event.type === 'candidate-token') mostCells = Math.max(mostCells, model.stats().usedCells);
  }
  const result = await turn.result();
  const after = model.stats();

  t.is(prefix.usage.evaluatedPromptTokens, contextTokens);
  t.is(result.usage.evaluatedPromptTokens, candidates * (1 + questionTokens));
  t.is(result.usage.questionTokens, candidates * questionTokens);
  t.is(result.usage.generatedTokens, candidates * maxTokens);
  // Each candidate's tokens but the last are evaluated to draw the next; the last is counted above.
  const drawn = candidates * (maxTokens - 1);
  t.is(difference(after, before, 'evaluatedTokens'), contextTokens + candidates * (1 + questionTokens) + drawn);

  t.deepEqual(new Set(result.candidates.map(({ tokens }) => tokens)), new Set([maxTokens]));
  t.true(mostCells <= contextTokens + candidates * (maxTokens + questionTokens), `${mostCells} cells`);
  // The candidates stay in the cache, without the questions: one copy of the context, and 64 cells each.
  t.is(after.usedCells, contextTokens + candidates * maxTokens);
  t.is(after.usedSequences, 1 + candidates);
  t.is(after.pinnedCells, contextTokens);

  await prefix.close();
  await until(() => model.stats().pinnedCells === 0, 'the prefix is let go');
});

test.serial('candidates differ from each other, and a seed gives them again', async (t) => {
  t.timeout(180_000);
  const prefix = await model.prefill({ prompt: tokensOf(makeText(2, 20), 96) });
  const draw = () => prefix.sample({ count: 8, maxTokens: 12, temperature: 1, seed: 11, ignoreEos: true }).texts();
  const texts = await draw();
  t.true(new Set(texts).size > 1);
  t.deepEqual(await draw(), texts);
  await prefix.close();
});

test.serial('a turn whose candidates all fail ends in a result that says so', async (t) => {
  t.timeout(180_000);
  const prefix = await model.prefill({ prompt: makeText(3, 4) });
  const turn = prefix.winnow({
    candidates: 4,
    maxTokens: 8,
    attributes: makeAttributes(),
    keep: () => false,
    rank: () => 0,
  });
  const { outcome, chosen, rejected, bestRejected } = await turn.result();
  t.is(outcome, 'none-passed');
  t.is(chosen, null);
  t.is(rejected.length, 4);
  t.is(bestRejected?.candidate, 0);
  await prefix.close();
});
