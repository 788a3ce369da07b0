// The published systems on the default model: every example of `winnow recipe` in a small size, what the tree-shaped ones
// evaluate counted to the token, and that a seed draws the same again. The full sizes: npm run recipes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { examples } from '../../lib/cli/recipe-examples.js';
import type { Running } from '../../lib/cli/recipe-examples.js';
import { loadModel } from '../../lib/index.js';
import type { Model } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import {
  alignedAnswers,
  bestOfN,
  calculator,
  createRetrieval,
  dromedaryPrompts,
  lamdaWithTools,
  RecipeRun,
  selfConsistency,
  sparrow,
} from '../../lib/recipes/index.js';
import { until } from './helpers/until.js';

const timeoutMs = 180_000;
let model: Model;

test.before(async () => {
  model = await loadModel(defaultModel, { contextSize: 4096, cacheTokens: 16_384, gpuLayers: 0 });
});
test.after.always(() => model?.close());

const messages = [{ role: 'user', content: 'Which lake is the deepest?' }];
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

test.serial('64 questions under the principles: the shared prompt is evaluated once', async (t) => {
  t.timeout(timeoutMs);
  const shared = model.tokenize(dromedaryPrompts.principles).length;
  t.true(shared > 1500 && shared < 2100, `${shared} tokens`); // About 1,800, as published.
  const before = model.stats().evaluatedTokens;
  const questions = Array.from({ length: 64 }, (_, index) => `What is ${index} + 1?`);
  const rows = [];
  for await (const row of alignedAnswers(model, questions, { seed: 1, drawing: { maxTokens: 2, ignoreEos: true } }))
    rows.push(row);
  t.is(rows.length, 64);
  const own = sum(rows.map(({ evaluatedTokens }) => evaluatedTokens));
  const drawn = sum(rows.map(({ generatedTokens }) => generatedTokens - 1)); // The last one is not evaluated.
  t.is(model.stats().evaluatedTokens - before, shared + own + drawn);
  t.true(own < 64 * 32);
  await until(() => model.stats().pinnedCells === 0, 'the prompt is let go');
});

test.serial('Sparrow’s tree: the context once, every rule behind every candidate', async (t) => {
  t.timeout(timeoutMs);
  const before = model.stats().evaluatedTokens;
  const [candidates, maxTokens] = [2, 6];
  const drawing = { maxTokens, ignoreEos: true };
  const { report, ...result } = await sparrow(model, { messages, candidates, drawing, seed: 1 }).result();
  const [context, tree] = report.asked;
  t.is(result.candidates.length, candidates);
  t.is(Object.keys(result.candidates[0].violations).length, 23);
  t.true(result.candidates.every(({ score }) => score > 0 && score < 1));
  const { questionTokens, evaluatedPromptTokens, generatedTokens } = tree.usage!;
  t.is(questionTokens % candidates, 0);
  t.true(questionTokens / candidates / 24 > 15 && questionTokens / candidates / 24 < 45); // Per rule.
  t.is(generatedTokens, candidates * maxTokens);
  // C + N · (1 + Σ t_q), and what was drawn but each candidate's last token, which is the 1.
  t.is(evaluatedPromptTokens, candidates + questionTokens);
  const evaluated = context.usage!.evaluatedPromptTokens + evaluatedPromptTokens + candidates * (maxTokens - 1);
  t.is(model.stats().evaluatedTokens - before, evaluated);
});

test.serial('stopping a vote early gives the answer of the full vote, from the same paths', async (t) => {
  t.timeout(timeoutMs);
  const ask = (stopEarly: boolean) =>
    selfConsistency(model, {
      question: 'There are 3 cats and 2 dogs. How many animals are there?',
      samples: 6,
      atOnce: 2,
      seed: 5,
      stopEarly,
      drawing: { maxTokens: 24, temperature: 0.5, topK: 40 },
      parse: (text) => /\d+/.exec(text)?.[0] ?? null,
    }).result();
  const [full, early] = [await ask(false), await ask(true)];
  t.is(full.paths.length, 6);
  t.is(early.answer, full.answer);
  const texts = (paths: { sample: number; text: string }[]) => paths.map(({ sample, text }) => `${sample} ${text}`);
  t.deepEqual(
    texts(early.paths).filter((path) => !texts(full.paths).includes(path)),
    [],
  );
});

test.serial('best of n: policy and reference of the same weights have no divergence', async (t) => {
  t.timeout(timeoutMs);
  const reward = (_: unknown, text: string) => text.length;
  const options = { messages, reward, n: 4, reference: model, seed: 2, drawing: { maxTokens: 8 } };
  const { chosen, candidates, measuredDivergence } = await bestOfN(model, options).result();
  t.is(chosen.reward, Math.max(...candidates.map((one) => one.reward)));
  t.true(Math.abs(measuredDivergence!) < 1e-6);
  t.true(candidates.every(({ policyLogprob }) => policyLogprob! < 0));
});

const atlas = createRetrieval([
  { text: 'Lake Baikal in Siberia is the deepest lake of the world: 1,642 metres.', source: 'atlas' },
  { text: 'The Danube flows through ten countries into the Black Sea.', source: 'rivers' },
]);

for (const [question, tool, answered] of [
  ['How much is 135 plus 7721?', 'calculator', /7856/],
  ['How deep is Lake Baikal?', 'retrieval', /1,642/],
] as const) {
  test.serial(`LaMDA’s tool loop answers by ${tool}: ${question}`, async (t) => {
    t.timeout(timeoutMs);
    const tools = { calculator, retrieval: atlas };
    const asked = [{ role: 'user', content: question }];
    const options = { messages: asked, tools, rounds: 2, seed: 1, drawing: { maxTokens: 32, temperature: 0 } };
    const { rounds, citations, answer, outOfRounds, report } = await lamdaWithTools(model, options).result();
    t.deepEqual(
      citations.map((citation) => citation.tool),
      [tool],
    );
    t.regex(answer, answered);
    t.false(outOfRounds);
    t.is(report.asked.filter(({ kind }) => kind === 'function').length, rounds.length);
  });
}

async function runToEnd(running: Running): Promise<object[]> {
  if (running instanceof RecipeRun) {
    const events: object[] = [];
    for await (const event of running) events.push(event);
    return events;
  }
  const rows: object[] = [];
  for await (const row of running) rows.push(row);
  return rows;
}

const folder = mkdtempSync(path.join(tmpdir(), 'winnow-recipes-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const small = { count: 2, maxTokens: 6, seed: 3, output: folder };

for (const [name, example] of Object.entries(examples)) {
  test.serial(`winnow recipe ${name} runs`, async (t) => {
    t.timeout(timeoutMs);
    const shown = await runToEnd(example.run(model, small));
    t.true(shown.length > 0);
    const last = shown[shown.length - 1] as { type?: string; report?: { seed: number; asked: unknown[] } };
    if (last.type === 'finish') t.is(last.report?.seed, small.seed);
    if (last.type === 'finish' && name !== 'self-align') t.true((last.report?.asked.length ?? 0) > 0);
    await until(() => model.stats().pinnedCells === 0, 'all prefixes are let go');
  });
}

test.serial('what self-align has written are rows to train on', (t) => {
  const rows = readFileSync(path.join(folder, 'verbose.jsonl'), 'utf8').trim().split('\n');
  for (const row of rows) {
    const { messages: turns } = JSON.parse(row) as { messages: { role: string; content: string }[] };
    t.deepEqual(
      turns.map(({ role }) => role),
      ['user', 'assistant'],
    );
  }
});
