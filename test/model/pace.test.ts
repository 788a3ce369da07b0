// A stream that somebody reads, beside prompts that keep the engine busy, with and without a target between tokens.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import type { LoadOptions, Model } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { makeText } from './helpers/words.js';

const sizes = { contextSize: 1024, cacheTokens: 8192, maxStepTokens: 256, gpuLayers: 0 } as const;
const streamed = { prompt: 'The sea is', maxTokens: 48, ignoreEos: true, temperature: 1, seed: 3, priority: 1 };

const makePrompt = (model: Model, seed: number) => [...model.tokenize(makeText(seed, 300))].slice(0, 300);

const job = (model: Model) =>
  Array.from({ length: 8 }, (_, index) =>
    model.generate({ prompt: makePrompt(model, index + 1), maxTokens: 4, ignoreEos: true, temperature: 0 }).text(),
  );

/** The stream's text and its greatest gap but one in milliseconds, and the job's texts, all at once. */
async function readBesideJob(options: LoadOptions) {
  const model = await loadModel(defaultModel, { ...sizes, ...options });
  try {
    const alone = await model.generate(streamed).result();
    const gaps: number[] = [];
    let last = 0;
    let texts: Promise<string>[] = [];
    const generation = model.generate(streamed);
    for await (const event of generation) {
      if (event.type !== 'token') continue;
      const now = performance.now();
      if (last > 0) gaps.push(now - last);
      else texts = job(model);
      last = now;
    }
    const { text } = await generation.result();
    const { batchInvariant } = model.info.capabilities;
    gaps.sort((a, b) => b - a);
    const jobTexts = await Promise.all(texts);
    const tokenMs = alone.timings.generateMs / alone.tokens;
    return { text, alone: alone.text, jobTexts, gap: gaps[1], tokenMs, batchInvariant, stats: model.stats() };
  } finally {
    await model.close();
  }
}

test.serial('with a target, a stream’s gaps are shorter beside a job, and every text is the same', async (t) => {
  t.timeout(300_000);
  const byDefault = await readBesideJob({});
  t.is(byDefault.stats.heldSteps, 0);
  const targetInterTokenMs = 3 * byDefault.tokenMs;
  const paced = await readBesideJob({ targetInterTokenMs });
  t.log(
    `target ${targetInterTokenMs.toFixed(1)} ms; ` +
      `second greatest gap: ${byDefault.gap.toFixed(1)} ms by default, ${paced.gap.toFixed(1)} ms with it`,
  );
  t.true(paced.stats.heldSteps > 0);
  t.true(paced.gap < byDefault.gap / 2);
  if (!paced.batchInvariant) return; // Last bits of the logits may differ, and with them a token.
  t.is(paced.text, paced.alone);
  t.deepEqual(paced.jobTexts, byDefault.jobTexts);
});
