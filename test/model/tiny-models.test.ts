// Tiny random models of several kinds against PyTorch float32, and what each kind can't do.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import type { LoadOptions, Model } from '../../lib/index.js';
import { tinyModelFile, tinyReferences } from './helpers/tiny.js';

/**
 * In nats. ggml looks up GELU in a table of float16, which is all that separates gemma3 from the others. Products with
 * quantized weights round activations to 8 bits: 0.056 for the mixture's experts, on ggml's kernels as on ours.
 */
const bounds: Record<string, number> = { 'tiny-gemma3': 0.005, 'tiny-qwen3moe': 0.08 };
const bound = 1e-4;
const boundF16Cache = 0.02;

/** Log-probabilities behind the tokens, by token: of all labels, or of the likeliest where the model can't be asked. */
async function readNext(model: Model, tokens: number[], labels: number): Promise<[token: number, logprob: number][]> {
  if (model.info.capabilities.fork) {
    const byToken = Object.fromEntries(Array.from({ length: labels }, (_, token) => [token, [token]]));
    const question = { type: 'labels', suffix: [], labels: byToken } as const;
    const { next } = await model.classify({ prompt: tokens }, { next: question });
    return Object.entries(next.logprobs).map(([token, logprob]) => [Number(token), logprob]);
  }
  const stream = model.generate({ prompt: tokens, maxTokens: 1, temperature: 0, ignoreEos: true, topLogprobs: 20 });
  for await (const event of stream) {
    if (event.type === 'token') return event.topLogprobs!.map(({ token, logprob }) => [token, logprob]);
  }
  throw new Error('the model generated nothing');
}

/** The largest difference of a log-probability to PyTorch's, over all contexts of the model. */
async function largestDifference(name: string, options: LoadOptions): Promise<number> {
  const { contexts } = tinyReferences.find((entry) => entry.name === name)!;
  const model = await loadModel(await tinyModelFile(name), { gpuLayers: 0, threads: 1, ...options });
  try {
    let largest = 0;
    for (const { tokens, logprobs } of contexts) {
      const next = await readNext(model, tokens, logprobs.length);
      const known = next.filter(([token]) => token < logprobs.length);
      for (const [token, logprob] of known) largest = Math.max(largest, Math.abs(logprob - logprobs[token]));
    }
    return largest;
  } finally {
    await model.close();
  }
}

for (const { name } of tinyReferences) {
  test.serial(`${name} has PyTorch's log-probabilities with an f32 cache`, async (t) => {
    const largest = await largestDifference(name, { cacheType: 'f32' });
    t.log(`largest difference: ${largest.toExponential(1)} nats`);
    t.true(largest <= (bounds[name] ?? bound), `${largest}`);
  });

  test.serial(`${name} has them with an f16 cache and prompts cut into small steps, to its rounding`, async (t) => {
    const largest = await largestDifference(name, { cacheType: 'f16', maxStepTokens: 32 });
    t.log(`largest difference: ${largest.toExponential(1)} nats`);
    t.true(largest <= (bounds[name] ?? 0) + boundF16Cache, `${largest}`);
  });
}

test.serial('a recurrent model generates, and refuses what needs a fork', async (t) => {
  const model = await loadModel(await tinyModelFile('tiny-mamba'), { gpuLayers: 0, threads: 1, maxSequences: 4 });
  try {
    t.false(model.info.capabilities.fork);
    const { tokens } = await model.generate({ prompt: 'one', maxTokens: 8, ignoreEos: true }).result();
    t.is(tokens, 8);
    await t.throwsAsync(model.prefill({ prompt: 'one' }), { code: 'ERR_UNSUPPORTED' });
  } finally {
    await model.close();
  }
});

test.serial(
  'answers of a sliding-window model do not change when its prefix is forked beyond the window',
  async (t) => {
    const model = await loadModel(await tinyModelFile('tiny-gemma3'), { gpuLayers: 0, threads: 1, cacheType: 'f32' });
    try {
      const prompt = tinyReferences[0].contexts[2].tokens; // 90 tokens; the window has 16.
      const greedy = { maxTokens: 24, temperature: 0, ignoreEos: true };
      const fresh = await model.generate({ prompt, ...greedy }).result();
      const prefix = await model.prefill({ prompt });
      const first = await prefix.generate(greedy).result();
      const second = await prefix.generate(greedy).result(); // The first has moved the window on.
      t.deepEqual([first.tokenIds, second.tokenIds], [fresh.tokenIds, fresh.tokenIds]);
      await prefix.close();
    } finally {
      await model.close();
    }
  },
);
