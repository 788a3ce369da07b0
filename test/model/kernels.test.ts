// Kernels by name: what this processor has is tested by forcing it, the rest is refused.
import test from 'ava';
import { loadModel, WinnowError } from '../../lib/index.js';
import type { LoadOptions, Model } from '../../lib/index.js';
import { tinyModelFile } from './helpers/tiny.js';

const names = ['avx512', 'avx2', 'neon', 'portable'] as const;
const models = ['tiny-llama', 'tiny-gemma3', 'tiny-qwen3moe'];
/** In nats. What a cache in float16 and 8-bit activations of experts round, in one order of sums or another. */
const bound = 0.1;

async function readNext(model: Model): Promise<number[]> {
  const labels = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`${i}`, [i + 3]]));
  const prompt = Array.from({ length: 90 }, (_, i) => 3 + ((i * 37) % 290));
  const { next } = await model.classify({ prompt }, { next: { type: 'labels', suffix: [], labels } });
  return Object.values(next.logprobs);
}

async function readWith(name: string, kernels: LoadOptions['kernels']): Promise<{ used: string; logprobs: number[] }> {
  const model = await loadModel(await tinyModelFile(name), { gpuLayers: 0, threads: 2, kernels });
  try {
    return { used: model.info.kernels, logprobs: await readNext(model) };
  } finally {
    await model.close();
  }
}

for (const kernels of names) {
  test.serial(`the kernels '${kernels}' compute what ggml computes, or are refused`, async (t) => {
    for (const name of models) {
      const reference = await readWith(name, 'ggml');
      t.is(reference.used, 'ggml');
      try {
        const { used, logprobs } = await readWith(name, kernels);
        t.is(used, kernels);
        const largest = Math.max(...logprobs.map((logprob, i) => Math.abs(logprob - reference.logprobs[i])));
        t.log(`${name}: ${largest.toExponential(1)} nats at most`);
        t.true(largest <= bound, `${name}: ${largest}`);
      } catch (error) {
        t.true(error instanceof WinnowError && error.code === 'ERR_UNSUPPORTED', `${error as Error}`);
        t.regex((error as Error).message, /It can run: auto, ggml, portable/);
      }
    }
  });
}

test.serial("'auto' takes the fastest kernels that the processor has", async (t) => {
  const { used } = await readWith('tiny-llama', 'auto');
  t.true(
    [...names, 'ggml'].some((name) => name === used),
    used,
  );
  t.not(used, 'portable');
});
