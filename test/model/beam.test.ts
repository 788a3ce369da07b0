// Beam search on real backends, held to a search in JavaScript that asks the model for one token at a time.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import type { Model } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { openTinyLlama } from './helpers/tiny.js';

interface Text {
  tokens: number[];
  logprob: number;
}

/** The twenty likeliest tokens behind the tokens. */
async function likeliest(model: Model, prompt: number[]) {
  const generation = model.generate({ prompt, maxTokens: 1, temperature: 0, topLogprobs: 20, ignoreEos: false });
  for await (const event of generation) if (event.type === 'token') return event.topLogprobs!;
  throw new Error('no token came');
}

/** What beam search is, with `maxTokens` tokens and no length penalty; ends by an end token as soon as `beams` have. */
async function searchSlowly(model: Model, prompt: number[], beams: number, maxTokens: number): Promise<Text[]> {
  const ends = model.info.specialTokens.end;
  let running: Text[] = [{ tokens: [], logprob: 0 }];
  const finished: Text[] = [];
  for (let length = 1; length <= maxTokens && finished.length < beams; length++) {
    const rows = await Promise.all(running.map(({ tokens }) => likeliest(model, [...prompt, ...tokens])));
    const all = running.flatMap((text, index) =>
      rows[index].map(({ token, logprob }) => ({ tokens: [...text.tokens, token], logprob: text.logprob + logprob })),
    );
    all.sort((a, b) => b.logprob - a.logprob);
    running = [];
    for (const text of all) {
      if (running.length === beams) break;
      (ends.includes(text.tokens.at(-1)!) ? finished : running).push(text);
    }
    if (length === maxTokens) finished.push(...running);
  }
  return finished.sort((a, b) => b.logprob - a.logprob).slice(0, beams);
}

test('a beam search finds what a search token by token finds', async (t) => {
  t.timeout(180_000);
  const model = await openTinyLlama({ contextSize: 256 });
  t.teardown(() => model.close());
  for (const [seed, beams] of [
    [1, 1],
    [2, 3],
    [3, 8],
  ] as const) {
    const prompt = Array.from({ length: 20 }, (_, index) => (index * 13 * seed) % 250);
    const expected = await searchSlowly(model, prompt, beams, 6);
    const { hypotheses } = await model.beam({ prompt, beams, maxTokens: 6, lengthPenalty: 0 });
    t.deepEqual(
      hypotheses.map(({ tokenIds }) => tokenIds),
      expected.map(({ tokens }) => tokens),
    );
    hypotheses.forEach(({ logprob, score }, index) => {
      t.true(Math.abs(logprob - expected[index].logprob) < 1e-3);
      t.is(score, logprob);
    });
  }
});

test('BlenderBot’s search: ten beams, twenty tokens at least, no 3-gram twice, the context included', async (t) => {
  t.timeout(180_000);
  const model = await loadModel(defaultModel, { contextSize: 1024, cacheTokens: 4096, gpuLayers: 0 });
  t.teardown(() => model.close());
  const prompt = [...model.tokenize('The sea is wide and the sea is deep and the sea is')];
  const prefix = await model.prefill({ prompt });
  const search = { beams: 10, minTokens: 20, maxTokens: 40 };
  const { hypotheses, usage } = await prefix.beam({ ...search, noRepeatNgram: 3, ngramScope: 'context' });
  t.is(usage.evaluatedPromptTokens, 0);
  t.is(hypotheses.length, 10);
  for (const { tokenIds } of hypotheses) {
    t.true(tokenIds.length > 20 || tokenIds.length === 40);
    const all = [...prompt, ...tokenIds];
    const known = prompt.slice(2).map((_, index) => prompt.slice(index, index + 3).join());
    for (let end = prompt.length; end < all.length; end++) {
      const ngram = all.slice(end - 2, end + 1).join();
      t.false(known.includes(ngram), ngram);
      known.push(ngram);
    }
  }
  const scores = hypotheses.map(({ score }) => score);
  t.deepEqual(
    scores,
    [...scores].sort((a, b) => b - a),
  );
  const greedy = await prefix.generate({ minTokens: 20, maxTokens: 40, temperature: 0, logprobs: true }).result();
  const plain = await prefix.beam({ ...search, lengthPenalty: 0 });
  const sum = greedy.logprobs!.reduce((total, value) => total + value, 0);
  t.true(plain.hypotheses[0].logprob >= sum - 1e-3, 'ten beams find nothing less likely than one');
});
