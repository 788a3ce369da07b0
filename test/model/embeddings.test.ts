// Embeddings and class scores of real models against PyTorch float32, and beside other requests.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import type { LoadOptions, Model, Pooling } from '../../lib/index.js';
import { readReference } from './helpers/files.js';
import { minilmModel, tinyModel } from './helpers/made-models.js';
import { openTinyLlama } from './helpers/tiny.js';

/** From make_embeddings.py. `vectors`: of length 1, by pooling. */
interface Reference {
  name: string;
  sha256: string;
  texts: { text?: string; tokens: number[]; vectors: Record<Pooling, number[]>; scores: number[] }[];
}

const references = readReference<Reference[]>('embeddings.json');
const bound = 1e-3;

const referenceOf = (name: string) => references.find((entry) => entry.name === name)!;
const fileOf = ({ name, sha256 }: Reference) =>
  name.startsWith('tiny-') ? tinyModel(name, sha256) : minilmModel(sha256);

async function withModel<T>(name: string, options: LoadOptions, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await loadModel(await fileOf(referenceOf(name)), { gpuLayers: 0, threads: 1, ...options });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

const largestDifference = (values: ArrayLike<number>, expected: readonly number[]) =>
  Math.max(...expected.map((value, index) => Math.abs(value - values[index])));

const embedded = [
  ['tiny-bert', {}],
  ['tiny-bert', { kernels: 'ggml' }],
  ['tiny-llama', {}],
  ['tiny-llama', { kernels: 'ggml', maxStepTokens: 8 }], // Texts in pieces.
  ['tiny-mamba', { maxSequences: 4 }],
  ['all-minilm-l6-v2', {}],
] as const;

for (const [name, options] of embedded) {
  test.serial(`${name} has PyTorch's vectors with ${JSON.stringify(options)}`, async (t) => {
    const { texts } = referenceOf(name);
    const tokens = texts.map((text) => text.tokens);
    await withModel(name, options, async (model) => {
      for (const pooling of Object.keys(texts[0].vectors) as Pooling[]) {
        const vectors = await model.embed(tokens, { pooling });
        const differences = vectors.map((vector, index) => largestDifference(vector, texts[index].vectors[pooling]));
        t.log(`${pooling}: ${Math.max(...differences).toExponential(1)}`);
        t.true(Math.max(...differences) <= bound);
        t.is(vectors[0].length, model.info.encoding!.vectorSize);
      }
    });
  });
}

test.serial('all-MiniLM tokenises texts as its authors do, and finds the closer one', async (t) => {
  const { texts } = referenceOf('all-minilm-l6-v2');
  await withModel('all-minilm-l6-v2', {}, async (model) => {
    t.deepEqual(
      texts.map(({ text }) => [...model.tokenize(text!)]),
      texts.map(({ tokens }) => tokens),
    );
    const [cat, kitten, rates] = await model.embed(['The cat sleeps.', 'A kitten naps.', 'Interest rates rose.']);
    const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, index) => sum + value * b[index], 0);
    t.true(cosine(cat, kitten) > cosine(cat, rates) + 0.3);
  });
});

for (const kernels of ['auto', 'ggml'] as const) {
  test.serial(`tiny-classifier has PyTorch's scores on ${kernels} kernels`, async (t) => {
    const { texts } = referenceOf('tiny-classifier');
    await withModel('tiny-classifier', { kernels }, async (model) => {
      t.deepEqual(model.info.encoding?.classes, ['negative', 'neutral', 'positive']);
      const classes = await model.classifyTexts(texts.map(({ tokens }) => tokens));
      const differences = classes.map(({ scores }, index) =>
        largestDifference(Object.values(scores), texts[index].scores),
      );
      t.log(`largest difference: ${Math.max(...differences).toExponential(1)}`);
      t.true(Math.max(...differences) <= bound);
    });
  });
}

test.serial('rewards and ranks are outputs of the head', async (t) => {
  await withModel('tiny-classifier', {}, async (model) => {
    const [{ scores }] = await model.classifyTexts(['one two']);
    const [reward] = await model.reward({ prompt: 'one' }, [' two']);
    t.true(Math.abs(reward - scores['negative']) < 1e-5);
    const ranked = await model.rerank('a', ['b', 'c', 'd']);
    t.deepEqual(ranked.map(({ index }) => index).sort(), [0, 1, 2]);
    t.true(ranked[0].score >= ranked[1].score && ranked[1].score >= ranked[2].score);
  });
});

test.serial('a text has the vector that it has alone, whatever shares the step, to rounding', async (t) => {
  await withModel('tiny-bert', { maxStepTokens: 128 }, async (model) => {
    const texts = Array.from({ length: 200 }, (_, index) => `text ${'abcdefgh'.slice(0, 1 + (index % 8))} ${index}`);
    const together = await model.embed(texts);
    for (const index of [0, 57, 199]) {
      const [alone] = await model.embed([texts[index]]);
      t.true(largestDifference(alone, [...together[index]]) < 1e-5);
    }
  });
});

test.serial('an encoder refuses to generate, and a text that is longer than a step', async (t) => {
  await withModel('tiny-bert', { maxStepTokens: 16 }, async (model) => {
    t.like(model.info.capabilities, { generate: false, embed: true, head: false });
    t.like(model.info.encoding, { maxTextTokens: 16, pooling: 'mean' });
    await t.throwsAsync(model.generate({ prompt: 'one' }).result(), { code: 'ERR_UNSUPPORTED' });
    await t.throwsAsync(model.classify({ prompt: 'one' }, { ok: { type: 'boolean', instructions: 'Good?' } }), {
      code: 'ERR_UNSUPPORTED',
    });
    await t.throwsAsync(model.embed(['a b c d e f g h i j k l m n o p q r s']), { code: 'ERR_CONTEXT_OVERFLOW' });
    t.is((await model.embed(['a b c'])).length, 1);
  });
});

test.serial('generating and embedding at once change nothing of each other', async (t) => {
  const model = await openTinyLlama();
  try {
    const greedy = { prompt: 'one two', maxTokens: 40, temperature: 0, ignoreEos: true };
    const alone = await model.generate(greedy).result();
    const [vector] = await model.embed(['some text']);
    const [text, vectors] = await Promise.all([
      model.generate(greedy).result(),
      model.embed(Array.from({ length: 300 }, () => 'some text')),
    ]);
    t.deepEqual(text.tokenIds, alone.tokenIds);
    t.true(vectors.every((other) => largestDifference(other, [...vector]) < 1e-5));
  } finally {
    await model.close();
  }
});
