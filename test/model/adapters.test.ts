// Low-rank adapters against models that have them in their weights, alone and beside requests with other adapters.
import { copyFile, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import type { Adapter, LoadOptions, Model } from '../../lib/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { badAdapter, tinyLoras } from './helpers/loras.js';
import type { TinyLoras } from './helpers/loras.js';
import { tinyModel } from './helpers/made-models.js';
import { tinyModelFile } from './helpers/tiny.js';

const bound = 1e-3; // Nats.
const boundF16 = 1e-2; // ggml rounds what it multiplies F16 matrices with to F16.
const exact = { gpuLayers: 0, threads: 1, cacheType: 'f32' } as const; // Keys and values without rounding.
const bertHash = '76f0fce8674388951ec4702540efa365fb70bbec561dc1512a5a568cc2996e24';
const every = Object.fromEntries(Array.from({ length: 255 }, (_, token) => [token, [token]]));
const next = { type: 'labels', suffix: [], labels: every } as const;

const makePrompt = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => 3 + (((i + 1) * 7919 + seed * 104_729) % 290));

async function withModel<T>(file: string, options: LoadOptions, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await loadModel(file, { gpuLayers: 0, threads: 1, ...options });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

async function logprobsOf(model: Model, prompt: number[], adapters?: Adapter[]): Promise<number[]> {
  const { answer } = await model.classify({ prompt, adapters }, { answer: next });
  return Object.values(answer.logprobs);
}

const textOf = (model: Model, prompt: number[], adapters?: Adapter[]) =>
  model.generate({ prompt, adapters, maxTokens: 24, temperature: 0, ignoreEos: true }).result();

const distance = (a: number[], b: number[]) => Math.max(...a.map((value, index) => Math.abs(value - b[index])));

/** The sets, each with the model that has it in its weights. */
const setsOf = ({ model, a, b, f16, mergedA, merged }: TinyLoras): [string, Adapter[], string][] => [
  ['none', [], model],
  ['one', [{ path: a }], mergedA],
  [
    'two',
    [
      { path: b, scale: 2 },
      { path: a, scale: 0.5 },
    ],
    merged,
  ],
  [
    'two, one of them in F16',
    [
      { path: a, scale: 0.5 },
      { path: f16, scale: 2 },
    ],
    merged,
  ],
];

test.serial('log-probabilities are those of the merged models, also beside other sets', async (t) => {
  const loras = await tinyLoras();
  const sets = setsOf(loras);
  const prompts = [1, 2, 3].map((seed) => makePrompt(20 * seed, seed));
  const expected: number[][][] = [];
  for (const [, , file] of sets)
    expected.push(await withModel(file, exact, (model) => Promise.all(prompts.map((p) => logprobsOf(model, p)))));
  await withModel(loras.model, exact, async (model) => {
    const beside = sets.flatMap(([, adapters]) => [7, 8].map((seed) => textOf(model, makePrompt(30, seed), adapters)));
    const asked = sets.map(([, adapters]) => Promise.all(prompts.map((prompt) => logprobsOf(model, prompt, adapters))));
    const answers = await Promise.all(asked);
    await Promise.all(beside);
    sets.forEach(([name], set) => {
      const largest = Math.max(...prompts.map((_, i) => distance(answers[set][i], expected[set][i])));
      t.log(`${name}: largest difference ${largest.toExponential(1)} nats`);
      t.true(largest <= (name.endsWith('F16') ? boundF16 : bound), `${name}: ${largest}`);
    });
    t.true(distance(answers[0][0], answers[1][0]) > 0.1);
    t.true(distance(answers[1][0], answers[2][0]) > 0.1);
  });
});

test.serial('greedy texts and their bits are the same alone and among requests with other adapters', async (t) => {
  const loras = await tinyLoras();
  const sets = setsOf(loras);
  const prompt = makePrompt(60, 5);
  const look = async (model: Model, adapters: Adapter[]) => {
    const generated = model.generate({
      prompt,
      adapters,
      maxTokens: 24,
      temperature: 0,
      ignoreEos: true,
      logprobs: true,
    });
    const { tokenIds, logprobs } = await generated.result();
    return JSON.stringify([tokenIds, logprobs, await logprobsOf(model, prompt, adapters)]);
  };
  const alone: string[] = [];
  for (const [, adapters] of sets) alone.push(await withModel(loras.model, {}, (model) => look(model, adapters)));
  t.is(new Set(alone).size, sets.length);
  for (const options of [{}, { maxStepTokens: 16, threads: 2 }, { cacheTokens: 768, contextSize: 256 }])
    await withModel(loras.model, options, async (model) => {
      t.true(model.info.capabilities.batchInvariant);
      const others = Promise.all(
        Array.from({ length: 30 }, (_, i) => textOf(model, makePrompt(10 + i, 20 + i), sets[i % 3][1])),
      );
      t.deepEqual(await Promise.all(sets.map(([, adapters]) => look(model, adapters))), alone);
      await others;
    });
});

test.serial('a prefix has its adapters, and a saved one comes back only with them', async (t) => {
  const loras = await tinyLoras();
  const adapters = [{ path: loras.a }];
  const file = path.join(await temporaryFolder(t), 'adapted.prefix');
  const moved = path.join(path.dirname(file), 'elsewhere.gguf');
  await copyFile(loras.a, moved);
  const greedy = { maxTokens: 12, temperature: 0, ignoreEos: true };
  const [prompt, more] = [makePrompt(40, 9), makePrompt(4, 10)];
  const expected = await withModel(loras.model, {}, async (model) => {
    const fresh = await textOf(model, [...prompt, ...more], adapters);
    const prefix = await model.prefill({ prompt, adapters });
    const { tokenIds } = await prefix.generate({ prompt: more, ...greedy }).result();
    t.deepEqual(tokenIds, fresh.tokenIds.slice(0, 12));
    const fork = await prefix.fork({ prompt: more });
    t.deepEqual((await fork.generate(greedy).result()).tokenIds, tokenIds);
    await t.throwsAsync(fork.generate({ ...greedy, adapters: [] }).result(), { code: 'ERR_ADAPTER_CONFLICT' });
    await prefix.save(file);
    return tokenIds;
  });
  await withModel(loras.model, {}, async (model) => {
    for (const wrong of [undefined, [{ path: loras.b }], [{ path: loras.a, scale: 2 }]])
      await t.throwsAsync(model.loadPrefix(file, { adapters: wrong }), { code: 'ERR_PREFIX_MISMATCH' });
    const prefix = await model.loadPrefix(file, { adapters: [{ path: moved }] });
    t.deepEqual((await prefix.generate({ prompt: more, ...greedy }).result()).tokenIds, expected);
    await t.throwsAsync(model.unloadAdapter(moved), { code: 'ERR_ADAPTER_IN_USE' });
    await prefix.close();
    await model.unloadAdapter(moved);
  });
});

test.serial('an adapter that was let go is read anew', async (t) => {
  const { model: file, a, b } = await tinyLoras();
  const changing = path.join(await temporaryFolder(t), 'changing.gguf');
  const prompt = makePrompt(30, 4);
  await withModel(file, {}, async (model) => {
    const [withA, withB] = [await textOf(model, prompt, [{ path: a }]), await textOf(model, prompt, [{ path: b }])];
    await copyFile(a, changing);
    const adapters = [{ path: changing }];
    t.is((await textOf(model, prompt, adapters)).text, withA.text);
    await writeFile(changing, await readFile(b));
    t.is((await textOf(model, prompt, adapters)).text, withA.text);
    await model.unloadAdapter(changing);
    t.is((await textOf(model, prompt, adapters)).text, withB.text);
    for (let i = 0; i < 20; i++) {
      await model.loadAdapter(a);
      await model.unloadAdapter(a);
    }
    t.is((await textOf(model, prompt, [{ path: a }])).text, withA.text);
  });
});

test.serial('what is no adapter of this model is refused, and the process goes on', async (t) => {
  const { model: file, a } = await tinyLoras();
  const folder = await temporaryFolder(t);
  const whole = await readFile(a);
  const changed = async (name: string, change: (bytes: Buffer) => Buffer | void) => {
    const bytes = Buffer.from(whole);
    const target = path.join(folder, name);
    await writeFile(target, change(bytes) ?? bytes);
    return target;
  };
  const replace = (from: string, to: string) => (bytes: Buffer) => {
    for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) bytes.write(to, at, 'latin1');
  };
  const cut = path.join(folder, 'cut.gguf');
  await copyFile(a, cut);
  await truncate(cut, whole.length - 1000);
  const cases: [string, string][] = [
    [path.join(folder, 'none.gguf'), 'ERR_ADAPTER_NOT_FOUND'],
    [folder, 'ERR_ADAPTER_NOT_FOUND'],
    [await changed('text.gguf', () => Buffer.from('no GGUF')), 'ERR_ADAPTER_FILE'],
    [cut, 'ERR_ADAPTER_FILE'],
    [file, 'ERR_ADAPTER_FILE'], // A model.
    [await changed('kind.gguf', replace('lora', 'dora')), 'ERR_ADAPTER_FILE'],
    [await changed('architecture.gguf', replace('llama', 'gemma')), 'ERR_ADAPTER_MISMATCH'],
    [await changed('names.gguf', replace('blk.1.attn_q', 'blk.7.attn_q')), 'ERR_ADAPTER_MISMATCH'],
    [await changed('pairs.gguf', replace('attn_k.weight.lora_a', 'attn_z.weight.lora_a')), 'ERR_ADAPTER_FILE'],
    [await changed('suffix.gguf', replace('.lora_b', '.lora_c')), 'ERR_UNSUPPORTED'],
    [badAdapter('alpha-text'), 'ERR_ADAPTER_FILE'],
    [badAdapter('alpha-nan'), 'ERR_ADAPTER_FILE'],
    [badAdapter('nothing'), 'ERR_ADAPTER_FILE'],
    [badAdapter('activated'), 'ERR_UNSUPPORTED'],
    [badAdapter('integers'), 'ERR_UNSUPPORTED'],
    [badAdapter('norm'), 'ERR_UNSUPPORTED'],
    [badAdapter('ranks'), 'ERR_ADAPTER_MISMATCH'],
    [badAdapter('embedding-ranks'), 'ERR_ADAPTER_MISMATCH'],
    [badAdapter('slices'), 'ERR_ADAPTER_MISMATCH'],
    [badAdapter('transposed'), 'ERR_ADAPTER_MISMATCH'],
  ];
  await withModel(file, {}, async (model) => {
    for (const [adapter, code] of cases) {
      const error = await t.throwsAsync(
        textOf(model, [5, 6, 7], [{ path: adapter }]),
        { code },
        path.basename(adapter),
      );
      t.log(error?.message.replace(/\S*\//g, ''));
    }
    t.is((await textOf(model, [5, 6, 7])).tokens, 24);
  });
  await withModel(await tinyModelFile('tiny-qwen2'), {}, (model) =>
    t.throwsAsync(model.loadAdapter(a), { code: 'ERR_ADAPTER_MISMATCH', instanceOf: Error }),
  );
  await withModel(await tinyModelFile('tiny-gemma3'), {}, (model) =>
    t.throwsAsync(model.loadAdapter(badAdapter('tied')), { code: 'ERR_UNSUPPORTED', message: /embedding/ }),
  );
  await withModel(await tinyModel('tiny-bert', bertHash), {}, (model) =>
    t.throwsAsync(model.loadAdapter(a), { code: 'ERR_UNSUPPORTED' }),
  );
});
