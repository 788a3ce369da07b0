import test from 'ava';
import { benchSizes, measureModel, roomFor } from '../../lib/cli/measure.js';
import { openFake } from '../support/open-fake.js';
import { prepareWinnow } from '../support/run-winnow.js';

const small = { promptTokens: 8, maxTokens: 3, streams: 4, streamPromptTokens: 2, questions: 5, suffixTokens: 2 };
const signal = new AbortController().signal;

test('rates are of the engine’s own time: what comes with the first token is no decode', async (t) => {
  const { model } = await openFake();
  const figures = await measureModel(model, small, { runs: 2, signal });
  // The fake says 3 ms for every prompt and 4 ms for every answer of three tokens.
  t.deepEqual(figures.prefill, { value: 8 / 0.003, min: 8 / 0.003, max: 8 / 0.003 });
  t.is(figures.decode.value, 2 / 0.004);
  t.is(figures.decodeStreams.value, (4 * 2) / 0.016);
  t.true((figures.scoring?.value ?? 0) > 0);
  await model.close();
});

test('a warm-up comes before the timed runs, and no prompt comes twice', async (t) => {
  const { native, model } = await openFake();
  const runs: number[] = [];
  await measureModel(model, small, { runs: 2, signal, onRun: (run) => runs.push(run) });
  t.deepEqual(runs, [0, 1, 2]);
  const prompts = native.submitted.filter(({ prompt }) => prompt.length > 0).map(({ prompt }) => prompt.join());
  t.is(prompts.length, 3 * (1 + 1 + 4 + 1));
  t.is(new Set(prompts).size, prompts.length);
  t.is(native.submitted.filter(({ questions }) => questions.length === 5).length, 3);
  t.deepEqual(native.openPrefixes, []);
  await model.close();
});

test('a model that cannot fork is not asked', async (t) => {
  const { native, model } = await openFake({ info: { canFork: false } });
  const { scoring } = await measureModel(model, small, { runs: 1, signal });
  t.is(scoring, null);
  t.true(native.submitted.every(({ questions }) => questions.length === 0));
  await model.close();
});

test('the cache has room for every stream and for every question', (t) => {
  const { contextSize, cacheTokens } = roomFor(benchSizes);
  t.true(contextSize >= 512 + 64);
  t.true(cacheTokens >= 32 * (16 + 64));
  t.true(cacheTokens >= 512 + 64 * 5);
});

test('winnow bench --json prints one line with every figure', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const { code, stdout, stderr } = await run(['bench', '--model', model, '--runs', '1', '--json']);
  t.is(code, 0, stderr);
  t.is(stdout.trimEnd().split('\n').length, 1);
  const figures = JSON.parse(stdout) as Record<string, { value: number; min: number; max: number }>;
  for (const name of ['prefill', 'decode', 'decodeStreams', 'scoring'])
    t.true((figures[name]?.value ?? 0) > 0 && figures[name]?.min === figures[name]?.max, name);
  t.like(figures, { runs: 1, kernels: 'ggml', sizes: benchSizes });
});

test('winnow bench prints a line per figure, with its unit', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const { stdout } = await run(['bench', '--model', model, '--runs', '2']);
  t.regex(stdout, /^Fake on CPU, 1 threads, ggml kernels\n/);
  t.regex(stdout, /reading 512 tokens +[\d,]+ tokens\/s \([\d,]+–[\d,]+\)/);
  t.regex(stdout, /writing, 32 streams +[\d,]+ tokens\/s/);
  t.regex(stdout, /scoring, 64 questions +[\d,]+ rows\/s/);
  t.regex(stdout, /peak memory +[\d,]+ MB, with a cache of 4,096 tokens/);
  t.regex(stdout, /Medians of 2 runs/);
});
