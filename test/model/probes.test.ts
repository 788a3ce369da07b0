// Probes of hidden states against PyTorch float32, and that they cost and change nothing.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import type { Model, Probes, TokenEvent } from '../../lib/index.js';
import { readReference } from './helpers/files.js';
import { openTinyLlama, tinyModelFile } from './helpers/tiny.js';

/** From make_probes.py. `values`: by layer. */
const references = readReference<{ name: string; contexts: { tokens: number[]; values: number[] }[] }[]>('probes.json');

/** ggml's kernels round activations to 8 bits for the experts of tiny-qwen3moe, ours too. */
const bounds: Record<string, number> = { 'tiny-llama': 1e-3, 'tiny-qwen3moe': 0.15 };

const weights = Array.from({ length: 64 }, (_, index) => Math.sin(index + 1));
const probes: Probes = { first: { layer: 0, weights }, second: { layer: 1, weights, bias: 0.5 } };
const greedy = { temperature: 0, ignoreEos: true, maxTokens: 1 };

async function readTokens(model: Model, prompt: number[], maxTokens = 1): Promise<TokenEvent[]> {
  const tokens: TokenEvent[] = [];
  for await (const event of model.generate({ prompt, ...greedy, maxTokens, probes }))
    if (event.type === 'token') tokens.push(event);
  return tokens;
}

for (const { name, contexts } of references) {
  test.serial(`probes on ${name} read PyTorch's hidden states`, async (t) => {
    const model = await loadModel(await tinyModelFile(name), {
      gpuLayers: 0,
      threads: 1,
      cacheType: 'f32',
      hiddenLayers: [1, 0],
    });
    try {
      t.deepEqual(model.info.hiddenLayers, [0, 1]);
      for (const { tokens, values } of contexts) {
        const [{ probes: read }] = await readTokens(model, tokens);
        const differences = [read!['first'] - values[0], read!['second'] - 0.5 - values[1]].map(Math.abs);
        t.log(`largest difference: ${Math.max(...differences).toExponential(1)}`);
        t.true(Math.max(...differences) <= bounds[name], `${differences}`);
      }
    } finally {
      await model.close();
    }
  });
}

test.serial('probes change no token and cost no evaluation', async (t) => {
  const plain = await openTinyLlama();
  const probed = await openTinyLlama({ hiddenLayers: [0, 1] });
  try {
    const { tokens: prompt } = references[0].contexts[1];
    const expected = await plain.generate({ prompt, ...greedy, maxTokens: 24 }).result();
    const stream = probed.generate({ prompt, ...greedy, maxTokens: 24, probes });
    const result = await stream.result();
    t.deepEqual(result.tokenIds, expected.tokenIds);
    t.deepEqual(result.usage, expected.usage);
  } finally {
    await plain.close();
    await probed.close();
  }
});

test.serial('a token has the same probes in a batch and behind a prefix as alone', async (t) => {
  const model = await openTinyLlama({ hiddenLayers: [0, 1], cacheType: 'f32' });
  try {
    const { tokens: prompt } = references[0].contexts[2];
    const alone = await readTokens(model, prompt, 12);
    const together = await Promise.all(Array.from({ length: 8 }, () => readTokens(model, prompt, 12)));
    const prefix = await model.prefill({ prompt });
    const behind: TokenEvent[] = [];
    for await (const event of prefix.generate({ ...greedy, maxTokens: 12, probes }))
      if (event.type === 'token') behind.push(event);
    for (const tokens of [...together, behind]) {
      const differences = tokens.map(({ probes: read }, index) =>
        Math.abs(read!['second'] - alone[index].probes!['second']),
      );
      t.is(tokens.length, 12);
      t.true(Math.max(...differences) < 1e-4, `${differences}`);
    }
  } finally {
    await model.close();
  }
});

test.serial('models whose hidden states cannot be read are refused, and layers that they have not', async (t) => {
  const load = async (name: string, hiddenLayers: number[]) =>
    loadModel(await tinyModelFile(name), { gpuLayers: 0, hiddenLayers });
  await t.throwsAsync(load('tiny-gemma3', [1]), { code: 'ERR_UNSUPPORTED', message: /gemma3/ });
  await t.throwsAsync(load('tiny-llama', [2]), { code: 'ERR_OPTION_VALUE', message: /has 2/ });
});
