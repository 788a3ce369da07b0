// A prefix that comes out of a file is the one that went in, bit for bit with our kernels.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { loadModel } from '../../lib/index.js';
import type { LoadOptions, Model, Prefix } from '../../lib/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { defaultModelFile } from './helpers/files.js';
import { tinyModelFile } from './helpers/tiny.js';
import { makeText } from './helpers/words.js';

const sizes = { contextSize: 1024, cacheTokens: 1024, gpuLayers: 0 } as const;

async function withModel<T>(file: string, options: LoadOptions, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await loadModel(file, { ...sizes, ...options });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** That many tokens of a text. */
const makePrompt = (model: Model, seed: number, length: number) =>
  [...model.tokenize(makeText(seed, length))].slice(0, length);

/** A seeded text with its log-probabilities, and those of labels: behind the prefix itself and behind more tokens. */
async function look(prefix: Prefix): Promise<string> {
  const labels = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}`, [50 + i * 6]]));
  const asked = {
    next: { type: 'labels', suffix: [], labels },
    later: { type: 'labels', suffix: [70, 90], labels },
  } as const;
  const generated = prefix.generate({ maxTokens: 12, temperature: 1, seed: 5, ignoreEos: true, logprobs: true });
  const tokens = [];
  for await (const event of generated) if (event.type === 'token') tokens.push([event.token, event.logprob]);
  const texts = await prefix.sample({ count: 4, maxTokens: 8, temperature: 1, seed: 7, ignoreEos: true }).texts();
  const { next, later } = await prefix.classify(asked);
  return JSON.stringify([tokens, texts, next.logprobs, later.logprobs]);
}

/** Prefixes with others between them that are given up when room is needed: what comes next lies in their holes. */
async function leaveHoles(model: Model): Promise<Prefix[]> {
  const made: Prefix[] = [];
  for (let i = 0; i < 6; i++) made.push(await model.prefill({ prompt: makePrompt(model, 100 + i, 60 + 10 * i) }));
  for (const prefix of made.filter((_, index) => index % 2 === 0)) await prefix.close();
  await model.generate({ prompt: makePrompt(model, 200, 150), maxTokens: 4 }).result();
  return made.filter((_, index) => index % 2 === 1);
}

async function comparesAcrossFile(t: ExecutionContext, modelFile: string, options: LoadOptions, length: number) {
  const file = path.join(await temporaryFolder(t), 'long.prefix');
  const fresh = await withModel(modelFile, options, async (model) => {
    await leaveHoles(model); // Saved out of order, too: a later sequence than the first.
    const prompt = makePrompt(model, 3, length);
    const start = performance.now();
    const prefix = await model.prefill({ prompt });
    await prefix.generate({ maxTokens: 1 }).result();
    const ms = performance.now() - start;
    await prefix.save(file);
    return { ms, answers: await look(prefix), tokens: prefix.tokens };
  });
  await withModel(modelFile, options, async (model) => {
    await leaveHoles(model);
    const before = model.stats();
    const start = performance.now();
    const prefix = await model.loadPrefix(file);
    await prefix.generate({ maxTokens: 1 }).result();
    const ms = performance.now() - start;
    const after = model.stats();
    t.is(after.evaluatedTokens, before.evaluatedTokens);
    t.is(after.pinnedCells - before.pinnedCells, fresh.tokens);
    t.log(
      `${fresh.tokens} tokens, first token after ${fresh.ms.toFixed(0)} ms fresh, ${ms.toFixed(0)} ms from the file`,
    );
    const answers = await look(prefix);
    if (model.info.capabilities.batchInvariant) t.is(answers, fresh.answers);
    t.is(model.stats().pinnedCells - before.pinnedCells, fresh.tokens);
  });
}

test.serial('text behind a loaded prefix is the text behind the fresh one', async (t) => {
  t.timeout(300_000);
  await comparesAcrossFile(t, await defaultModelFile(), { contextSize: 2048, cacheTokens: 2048 }, 1500);
});

test.serial('also in a cache of q8_0', async (t) => {
  await comparesAcrossFile(t, await defaultModelFile(), { cacheType: 'q8_0' }, 400);
});

for (const cacheType of ['f16', 'f32', 'bf16'] as const)
  test.serial(`also on a mixture of experts with a cache of ${cacheType}`, async (t) => {
    await comparesAcrossFile(t, await tinyModelFile('tiny-qwen3moe'), { cacheType }, 400);
  });

test.serial('a sliding window can’t be saved, another cache type can’t be loaded', async (t) => {
  const file = path.join(await temporaryFolder(t), 'x.prefix');
  await withModel(await tinyModelFile('tiny-gemma3'), {}, async (model) => {
    const prefix = await model.prefill({ prompt: makeText(1, 20) });
    await t.throwsAsync(prefix.save(file), { code: 'ERR_UNSUPPORTED' });
  });
  const qwen = await tinyModelFile('tiny-qwen2');
  await withModel(qwen, {}, async (model) => (await model.prefill({ prompt: makeText(1, 20) })).save(file));
  await withModel(qwen, { cacheType: 'bf16' }, (model) =>
    t.throwsAsync(model.loadPrefix(file), { code: 'ERR_PREFIX_MISMATCH' }),
  );
  const bytes = await readFile(file);
  bytes[bytes.length - 100] ^= 1;
  await writeFile(file, bytes);
  await withModel(qwen, {}, (model) => t.throwsAsync(model.loadPrefix(file), { code: 'ERR_PREFIX_FILE' }));
});
