// Far more than the cache holds: everybody ends, with the text that it has alone.
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import type { Model } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { makeText } from './helpers/words.js';

const requests = 200;
const maxTokens = 24;
const sequences = 64;

let model: Model;

test.before(async () => {
  // A request needs about 36 cells; 64 of them at once about 2,300: a third of that.
  const sizes = { contextSize: 256, cacheTokens: 768, maxSequences: sequences, maxStepTokens: 128 };
  model = await loadModel(defaultModel, { ...sizes, gpuLayers: 0 });
});
test.after.always(() => model?.close());

const ask = (index: number) =>
  model.generate({
    prompt: `${index}. ${makeText(index + 1, 8)}`,
    maxTokens,
    ignoreEos: true,
    temperature: 1,
    seed: index,
    priority: index % 3,
    namespace: `tenant ${index % 4}`,
  });

test.serial('200 requests on 64 sequences and a third of the cells end with the texts they have alone', async (t) => {
  t.timeout(600_000);
  const results = await Promise.all(Array.from({ length: requests }, (_, index) => ask(index).result()));
  const { preemptions, recomputedTokens, running, waiting, usedCells, cachedCells } = model.stats();
  t.true(preemptions > 0);
  t.is(
    recomputedTokens,
    results.reduce((sum, { usage }) => sum + usage.recomputedTokens, 0),
  );
  t.deepEqual([running, waiting, usedCells - cachedCells], [0, 0, 0]);
  for (const { usage } of results) t.is(usage.evaluatedPromptTokens + usage.cachedTokens, usage.promptTokens);
  if (!model.info.capabilities.batchInvariant) return; // Last bits of the logits may differ, and with them a token.
  for (let index = 0; index < requests; index += 9) t.is(results[index].text, await ask(index).text());
});

test.serial('the same prompt 16 times at once is evaluated once', async (t) => {
  const prompt = [...model.tokenize(makeText(77, 120))].slice(0, 100);
  const answer = () => model.generate({ prompt, maxTokens: 4, temperature: 0, namespace: 'same' }).result();
  const results = await Promise.all(Array.from({ length: 16 }, answer));
  const evaluated = results.map(({ usage }) => usage.evaluatedPromptTokens).sort((a, b) => b - a);
  t.deepEqual(evaluated, [100, ...new Array<number>(15).fill(1)]);
  t.is(new Set(results.map(({ text }) => text)).size, 1);
});

test.serial('a timeout ends a running request, and what it had stays valid', async (t) => {
  const generation = model.generate({ prompt: 'Tell me', maxTokens: 200, ignoreEos: true, timeoutMs: 150 });
  let tokens = 0;
  const reading = async () => {
    for await (const event of generation) if (event.type === 'token') tokens++;
  };
  const error = await t.throwsAsync(reading(), { code: 'ERR_TIMEOUT' });
  t.like(error, { timeoutMs: 150, generatedTokens: tokens });
});
