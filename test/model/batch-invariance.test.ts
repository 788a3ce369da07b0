// With our kernels, a request's bits depend neither on its neighbours, nor on how its prompt was cut into steps, nor on
// which cells of the cache it got, nor on what was in the cache before.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { loadModel } from '../../lib/index.js';
import type { LoadOptions, Model } from '../../lib/index.js';
import { defaultModelFile } from './helpers/files.js';
import { tinyModelFile } from './helpers/tiny.js';

interface Subject {
  name: string;
  file: () => Promise<string>;
  promptLength: number;
}

const subjects: Subject[] = [
  { name: 'the default model (Q4_1)', file: defaultModelFile, promptLength: 150 },
  { name: 'a model with a sliding window', file: () => tinyModelFile('tiny-gemma3'), promptLength: 200 },
  { name: 'a mixture of experts (Q8_0)', file: () => tinyModelFile('tiny-qwen3moe'), promptLength: 200 },
  { name: 'a model with biases', file: () => tinyModelFile('tiny-qwen2'), promptLength: 200 },
];

const makePrompt = (model: Model, length: number, seed: number) =>
  Array.from({ length }, (_, i) => 5 + (((i + 1) * 7919 + seed * 104_729) % (model.info.vocabularySize - 5)));

/** Log-probabilities behind the prompt and behind two more tokens, and a seeded text. */
async function look(model: Model, prompt: number[]): Promise<string> {
  const labels = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}`, [5 + i * 6]]));
  const questions = {
    next: { type: 'labels', suffix: [], labels },
    later: { type: 'labels', suffix: [7, 9], labels },
  } as const;
  const generated = model.generate({ prompt, maxTokens: 8, temperature: 1, seed: 5, ignoreEos: true, logprobs: true });
  const tokens = [];
  for await (const event of generated) if (event.type === 'token') tokens.push([event.token, event.logprob]);
  const scores = await model.classify({ prompt }, questions);
  return JSON.stringify([tokens, scores.next.logprobs, scores.later.logprobs]);
}

async function withModel<T>(subject: Subject, options: LoadOptions, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await loadModel(await subject.file(), { gpuLayers: 0, contextSize: 512, ...options });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** Other requests of different lengths, under way until they are awaited. */
function keepBusy(model: Model, count: number): Promise<unknown> {
  const start = (i: number) =>
    model.generate({ prompt: makePrompt(model, 20 + i * 3, 50 + i), maxTokens: 12, seed: i, ignoreEos: true }).result();
  return Promise.all(Array.from({ length: count }, (_, i) => start(i)));
}

for (const subject of subjects) {
  const promptOf = (model: Model) => makePrompt(model, subject.promptLength, 1);
  const alone = () => withModel(subject, {}, (model) => look(model, promptOf(model)));
  let expected: string;

  const assertSame = async (t: ExecutionContext, options: LoadOptions, use: (model: Model) => Promise<string>) => {
    expected ??= await alone();
    t.is(await withModel(subject, options, use), expected);
  };

  test.serial(`${subject.name} says of itself that it is batch-invariant`, async (t) => {
    const { kernels, capabilities } = await withModel(subject, {}, (model) => Promise.resolve(model.info));
    t.is(capabilities.batchInvariant, kernels !== 'ggml');
  });

  test.serial(`${subject.name}: the same bits from a cached prompt`, async (t) => {
    await assertSame(t, {}, async (model) => {
      await look(model, promptOf(model));
      return look(model, promptOf(model));
    });
  });

  test.serial(`${subject.name}: the same bits from a prompt cut into steps of 32 tokens`, async (t) => {
    await assertSame(t, { maxStepTokens: 32 }, (model) => look(model, promptOf(model)));
  });

  test.serial(`${subject.name}: the same bits on one thread and on three`, async (t) => {
    for (const threads of [1, 3]) await assertSame(t, { threads }, (model) => look(model, promptOf(model)));
  });

  test.serial(`${subject.name}: the same bits among 40 other requests`, async (t) => {
    await assertSame(t, {}, async (model) => {
      const others = keepBusy(model, 40);
      const result = await look(model, promptOf(model));
      await others;
      return result;
    });
  });

  test.serial(`${subject.name}: the same bits in a cache that wrapped around and is full of holes`, async (t) => {
    await assertSame(t, { cacheTokens: 1024, maxSequences: 24 }, async (model) => {
      for (let round = 0; round < 3; round++) await keepBusy(model, 15);
      const others = keepBusy(model, 4);
      const result = await look(model, promptOf(model));
      await others;
      return result;
    });
  });

  test.serial(`${subject.name}: the same bits on a fork of a pinned prefix`, async (t) => {
    await assertSame(t, {}, async (model) => {
      const prefix = await model.prefill({ prompt: promptOf(model).slice(0, 97) });
      const result = await look(model, promptOf(model));
      await prefix.close();
      return result;
    });
  });
}

test.serial('where an operation is left to ggml, batch invariance is not promised', async (t) => {
  const model = await loadModel(await tinyModelFile('tiny-mamba'), { gpuLayers: 0, maxSequences: 4 });
  t.false(model.info.capabilities.batchInvariant);
  await model.close();
});
