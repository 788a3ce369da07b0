// GLM-4 and T5 against PyTorch float32, alone and beside other requests and models.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { loadModel } from '../../lib/index.js';
import type { LoadOptions, Model } from '../../lib/index.js';
import { readReference } from './helpers/files.js';
import { tinyModel } from './helpers/made-models.js';
import { openTinyLlama } from './helpers/tiny.js';

/** From make_architectures.py. `logprobs`: of all tokens behind `tokens`; with a `source`, behind those of its decoder. */
interface Context {
  source?: number[];
  tokens: number[];
  logprobs: number[];
}

const references = readReference<{ name: string; sha256: string; contexts: Context[] }[]>('architectures.json');
const bound = 1e-3; // Nats.
const greedy = { maxTokens: 12, temperature: 0, ignoreEos: true };

async function open(name: string, options: LoadOptions = {}): Promise<{ model: Model; contexts: Context[] }> {
  const { sha256, contexts } = references.find((entry) => entry.name === name)!;
  const file = await tinyModel(name, sha256);
  return { model: await loadModel(file, { gpuLayers: 0, threads: 1, cacheType: 'f32', ...options }), contexts };
}

async function largestDifference(model: Model, { source, tokens, logprobs }: Context): Promise<number> {
  const labels = Object.fromEntries(Array.from({ length: 255 }, (_, token) => [token, [token]]));
  const prompt = source ?? tokens;
  const suffix = source ? tokens : [];
  const { next } = await model.classify({ prompt }, { next: { type: 'labels', suffix, labels } });
  const differences = Object.entries(next.logprobs).map(([token, value]) => Math.abs(value - logprobs[Number(token)]));
  return Math.max(...differences);
}

async function assertClose(t: ExecutionContext, model: Model, contexts: Context[]): Promise<void> {
  const differences = await Promise.all(contexts.map((context) => largestDifference(model, context)));
  t.log(`largest difference: ${Math.max(...differences).toExponential(1)} nats`);
  t.true(Math.max(...differences) <= bound, `${differences}`);
}

for (const { name } of references) {
  test.serial(
    `${name} has PyTorch's log-probabilities, and again beside other requests and another model`,
    async (t) => {
      const { model, contexts } = await open(name);
      const other = await openTinyLlama();
      try {
        await assertClose(t, model, contexts);
        const prompts = Array.from({ length: 12 }, (_, index) => [5 + index, 7, 9]);
        const noise = prompts.flatMap((prompt) => [
          model.generate({ prompt, ...greedy }).result(),
          other.generate({ prompt, ...greedy }).result(),
        ]);
        await assertClose(t, model, contexts);
        t.is((await Promise.all(noise)).length, 24);
      } finally {
        await model.close();
        await other.close();
      }
    },
  );
}

test.serial("tiny-t5's greedy text and a continuation's likelihood agree", async (t) => {
  const { model, contexts } = await open('tiny-t5');
  try {
    t.like(model.info.capabilities, { encoderDecoder: true, generate: true, embed: false });
    const prompt = contexts[1].source!;
    const { tokenIds, usage } = await model.generate({ prompt, ...greedy }).result();
    t.is(usage.promptTokens, prompt.length + 1);
    const [best, again] = await Promise.all([
      model.classify(
        { prompt },
        { it: { type: 'labels', suffix: tokenIds.slice(0, 5), labels: { best: [tokenIds[5]], zero: [0] } } },
      ),
      model.generate({ prompt, ...greedy }).result(),
    ]);
    t.is(best.it.label, tokenIds[5] === 0 ? 'zero' : 'best');
    t.deepEqual(again.tokenIds, tokenIds);
    const [likelihood] = await model.logLikelihood({ prompt: 'a text' }, [' and its end']);
    t.true(Number.isFinite(likelihood.logprob) && likelihood.tokens > 1);
  } finally {
    await model.close();
  }
});

test.serial('tiny-t5 refuses prefixes and prompts longer than a step, and goes on', async (t) => {
  const { model } = await open('tiny-t5', { maxStepTokens: 32 });
  try {
    await t.throwsAsync(model.prefill({ prompt: 'one' }), { code: 'ERR_UNSUPPORTED' });
    await t.throwsAsync(model.embed(['one']), { code: 'ERR_UNSUPPORTED' });
    const long = Array.from({ length: 33 }, () => 5);
    await t.throwsAsync(model.generate({ prompt: long, ...greedy }).result(), { code: 'ERR_CONTEXT_OVERFLOW' });
    t.is((await model.generate({ prompt: [5, 6], ...greedy }).result()).tokens, 12);
  } finally {
    await model.close();
  }
});
