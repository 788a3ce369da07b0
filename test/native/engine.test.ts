import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { loadAddon } from '../../lib/addon.js';
import { Engine } from '../../lib/engine.js';
import { AdapterError } from '../../lib/errors.js';
import { resolveLoadOptions } from '../../lib/options.js';
import { writeGguf } from '../support/gguf-writer.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { openNative } from './open-native.js';

const greedy = { maxTokens: 12, temperature: 0, ignoreEos: true } as const;

test('a text crosses the boundary as it is', async (t) => {
  const model = await openNative('fake-text');
  const tokens = model.tokenize('héllo 👋', { addSpecial: false });
  t.is(model.detokenize(tokens), 'héllo 👋');
  t.is(model.info.architecture, 'fake');
  t.is(model.info.vocabularySize, 258);
  await model.close();
});

test('one native call per request and at most one callback per step', async (t) => {
  const model = await openNative('fake-calls');
  const answers = Array.from({ length: 50 }, (_, i) => model.generate({ prompt: `request ${i}`, ...greedy }).result());
  await Promise.all(answers);
  const { submittedRequests, callbacks, steps } = model.stats();
  t.is(submittedRequests, 50);
  t.true(callbacks <= steps, `${callbacks} callbacks in ${steps} steps`);
  t.true(steps < 50 * 12, 'requests share steps');
  await model.close();
});

test('what a request gets does not depend on who shares the batch', async (t) => {
  const model = await openNative('fake-batch', { cacheTokens: 1024, maxSequences: 16 });
  const ask = (i: number) => model.generate({ prompt: `request ${i}`, ...greedy, temperature: 1, seed: i }).text();
  const alone: string[] = [];
  for (let i = 0; i < 20; i++) alone.push(await ask(i));
  t.deepEqual(await Promise.all(alone.map((_, i) => ask(i))), alone);
  await model.close();
});

test('logprobs and the likeliest tokens come with every token', async (t) => {
  const model = await openNative('fake-logprobs');
  const events = [];
  for await (const event of model.generate({ prompt: 'x', ...greedy, logprobs: true, topLogprobs: 3 }))
    events.push(event);
  const tokens = events.filter((event) => event.type === 'token');
  t.is(tokens.length, 12);
  for (const { token, logprob, topLogprobs } of tokens) {
    t.is(topLogprobs!.length, 3);
    t.is(topLogprobs![0].token, token);
    t.is(topLogprobs![0].logprob, logprob!);
  }
  await model.close();
});

test('a turn evaluates its context once and each question its tokens', async (t) => {
  const model = await openNative('fake-turn');
  const prefix = await model.prefill({ prompt: 'a context of some length' });
  const attributes = {
    first: { type: 'labels', suffix: [65, 66], labels: { yes: 'y', no: 'n' } },
    second: { type: 'labels', suffix: [67], labels: { one: 'ab', two: 'ac' } },
  } as const;
  const turn = prefix.winnow({ candidates: 6, ...greedy, temperature: 1, seed: 3, attributes, rank: () => 0 });
  const { usage, candidates } = await turn.result();
  t.is(candidates.length, 6);
  t.is(usage.questionTokens, 6 * (2 + 1 + 1)); // The two labels of the second question share their first token.
  t.is(usage.evaluatedPromptTokens, 6 * (1 + 4));
  t.is(prefix.usage.evaluatedPromptTokens, prefix.tokens);
  await prefix.close();
  await model.close();
});

test('a step that fails rejects its requests, and the engine goes on', async (t) => {
  const model = await openNative('fake-fail-at-2');
  await t.throwsAsync(model.generate({ prompt: 'x', ...greedy }).result(), { code: 'ERR_COMPUTE' });
  t.is((await model.generate({ prompt: 'x', ...greedy }).result()).tokens, 12);
  await model.close();
});

test('a model that does not load rejects with its reason, again and again', async (t) => {
  for (let i = 0; i < 3; i++) await t.throwsAsync(openNative('fake-no-load'), { code: 'ERR_MODEL_LOAD' });
});

test('1,000 aborts at any moment leave nothing behind', async (t) => {
  const model = await openNative('fake-aborts', { cacheTokens: 2048, maxSequences: 32 });
  const settled = await Promise.allSettled(
    Array.from({ length: 1000 }, async (_, i) => {
      const controller = new AbortController();
      const answer = model.generate({ prompt: `request ${i}`, ...greedy, maxTokens: 40, signal: controller.signal });
      const delay = i % 7;
      if (delay === 0) controller.abort();
      else setTimeout(() => controller.abort(), delay * 3);
      return answer.result();
    }),
  );
  t.true(settled.some(({ status }) => status === 'rejected'));
  await model.generate({ prompt: 'afterwards', ...greedy }).result(); // Behind all cancellations.
  const { running, waiting, usedCells, cachedCells, usedSequences, cachedSequences } = model.stats();
  t.deepEqual([running, waiting], [0, 0]);
  t.is(usedCells, cachedCells);
  t.is(usedSequences, cachedSequences);
  await model.close();
});

test('engines with equal options are one, and each client closes only its own requests', async (t) => {
  const first = await openNative('fake-shared-delay-1');
  const second = await openNative('fake-shared-delay-1');
  const answer = second.generate({ prompt: 'mine', ...greedy, maxTokens: 30 });
  const dropped = first.generate({ prompt: 'theirs', ...greedy, maxTokens: 500 });
  await dropped[Symbol.asyncIterator]().next(); // It runs.
  await first.close();
  await t.throwsAsync(dropped.result(), { code: 'ERR_MODEL_CLOSED' });
  t.is((await answer.result()).tokens, 30);
  t.is(second.stats().submittedRequests, 2);
  await second.close();
});

test('closing with drain waits for what is open; closing twice is fine', async (t) => {
  const model = await openNative('fake-drain-delay-1');
  const answer = model.generate({ prompt: 'x', ...greedy, maxTokens: 50 }).result();
  await Promise.all([model.close({ drain: true }), model.close({ drain: true })]);
  t.is((await answer).tokens, 50);
  await model.close();
});

test('the glue itself refuses a closed engine', async (t) => {
  const engine = await Engine.open(loadAddon(), { ...resolveLoadOptions().native, paths: ['fake-closed'] });
  await engine.close(false);
  t.throws(() => engine.tokenize('x', false, false), { code: 'ERR_MODEL_CLOSED' });
});

test('a timeout and a full queue reach JavaScript with their facts', async (t) => {
  const model = await openNative('fake-timeout-delay-2', { maxQueue: 2, maxSequences: 1 });
  const late = model.generate({ prompt: 'x', ...greedy, maxTokens: 3000, timeoutMs: 1500 });
  await late[Symbol.asyncIterator]().next(); // It runs.
  const waiting = [1, 2].map(() => model.generate({ prompt: 'y', ...greedy }).result());
  const refused = await t.throwsAsync(model.generate({ prompt: 'z', ...greedy }).result(), { code: 'ERR_QUEUE_FULL' });
  t.like(refused, { depth: 2, maxQueue: 2 });
  const error = await t.throwsAsync(late.result(), { code: 'ERR_TIMEOUT' });
  t.like(error, { timeoutMs: 1500 });
  for (const { tokens } of await Promise.all(waiting)) t.is(tokens, 12);
  const { batchSizes, interTokenMs, timeMs } = model.stats();
  t.is(batchSizes.length, 12);
  t.true(interTokenMs.count > 0 && interTokenMs.p50 >= 1);
  t.true(timeMs.generate > 0);
  await model.close();
});

test('a prefix goes through a file into another engine, and nothing of it is evaluated again', async (t) => {
  const folder = await temporaryFolder(t);
  const model = path.join(folder, 'fake-saved');
  await writeFile(model, 'weights');
  const file = path.join(folder, 'story.prefix');
  const first = await openNative(model);
  const fresh = await first.prefill({ prompt: 'Once upon a time' });
  await fresh.save(file);
  const expected = await fresh.generate(greedy).text();
  await first.close();

  const second = await openNative(model, { maxSequences: 8 });
  const loaded = await second.loadPrefix(file, { namespace: 'stories' });
  t.is(loaded.tokens, fresh.tokens);
  t.is(loaded.usage.evaluatedPromptTokens, 0);
  t.is(second.stats().evaluatedTokens, 0);
  t.is(await loaded.generate(greedy).text(), expected);
  t.is(second.stats().pinnedCells, fresh.tokens);
  await loaded.close();
  await t.throwsAsync(loaded.save(file), { code: 'ERR_PREFIX_CLOSED' });
  await second.close();
});

test('a target between tokens holds lower priorities back, and they still end', async (t) => {
  // Every step takes 3 ms: the target can't be kept, so what is below goes on by one token per step.
  const model = await openNative('fake-paced-delay-3', { targetInterTokenMs: 1 });
  const reader = model.generate({ prompt: 'x', ...greedy, maxTokens: 60, priority: 1 });
  await reader[Symbol.asyncIterator]().next(); // It runs.
  const below = model.generate({ prompt: 'a much longer prompt', ...greedy, maxTokens: 2 });
  t.is((await below.result()).tokens, 2);
  t.is((await reader.result()).tokens, 60);
  t.true(model.stats().heldSteps >= 10);
  await model.close();
  const other = await openNative('fake-paced-delay-3');
  t.is(other.stats().heldSteps, 0); // An engine of its own.
  await other.close();
});

test('namespaces share no prefix', async (t) => {
  const model = await openNative('fake-namespaces');
  const ask = async (namespace?: string) =>
    (await model.generate({ prompt: 'the same', namespace, ...greedy }).result()).usage;
  t.is((await ask('a')).cachedTokens, 0);
  t.is((await ask('b')).cachedTokens, 0);
  t.is((await ask()).cachedTokens, 0);
  const { cachedTokens, promptTokens } = await ask('b');
  t.is(cachedTokens, promptTokens - 1);
  await model.close();
});

test('adapters cross the boundary, and so do their errors', async (t) => {
  const folder = await temporaryFolder(t);
  const [a, other] = ['a.gguf', 'other-model.gguf'].map((name) => path.join(folder, name));
  for (const file of [a, other]) await writeFile(file, writeGguf({}));
  const model = await openNative('fake-adapters');
  const ask = (scale: number) => model.generate({ prompt: 'one', ...greedy, adapters: [{ path: a, scale }] }).text();
  const texts = await Promise.all([model.generate({ prompt: 'one', ...greedy }).text(), ask(0), ask(1), ask(0.5)]);
  t.is(texts[0], texts[1]);
  t.is(new Set(texts).size, 3);
  const prefix = await model.prefill({ prompt: 'on', adapters: [{ path: a, scale: 0.5 }] });
  t.is(await prefix.generate({ prompt: 'e', ...greedy }).text(), texts[3]);
  await t.throwsAsync(model.unloadAdapter(a), { code: 'ERR_ADAPTER_IN_USE' });
  await prefix.close();
  await model.unloadAdapter(a);
  await t.throwsAsync(model.loadAdapter(other), { instanceOf: AdapterError, code: 'ERR_ADAPTER_MISMATCH' });
  const loading = model.loadAdapter(a);
  await model.close();
  await loading.catch((error: { code: string }) => t.is(error.code, 'ERR_MODEL_CLOSED'));
  await t.throwsAsync(model.loadAdapter(a), { code: 'ERR_MODEL_CLOSED' });
});
