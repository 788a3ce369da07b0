// Streams of the default model: text, seeds, limits, and the cost of a request at the boundary to native code.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import test from 'ava';
import { loadModel } from '../../lib/index.js';
import type { GenerationEvent, Model } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { makeText } from './helpers/words.js';

const contextSize = 1024;
let model: Model;

test.before(async () => {
  model = await loadModel(defaultModel, { contextSize, maxSequences: 64, gpuLayers: 0 });
});
test.after.always(() => model?.close());

async function readAll(stream: AsyncIterable<GenerationEvent>): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

const messages = [{ role: 'user', content: 'Write one sentence about the sea.' }];

test.serial('the texts of the token events are the text of the result, and a finish event ends them', async (t) => {
  const stream = model.generate({ messages, maxTokens: 40, temperature: 0 });
  const events = await readAll(stream);
  const tokens = events.filter((event) => event.type === 'token');
  const last = events.at(-1);
  t.is(last?.type, 'finish');
  t.is(tokens.length, events.length - 1);
  const result = await stream.result();
  t.is(tokens.map(({ text }) => text).join(''), result.text);
  t.true(result.text.length > 0);
  t.is(result.text, model.detokenize(result.tokenIds));
});

test.serial('a model ends its answer by itself, and ignoreEos goes on to maxTokens', async (t) => {
  const ask = [{ role: 'user', content: 'Say yes.' }];
  const ended = await model.generate({ messages: ask, maxTokens: 200, temperature: 0 }).result();
  t.is(ended.reason, 'eos');
  const maxTokens = ended.tokens + 8;
  const forced = await model.generate({ messages: ask, maxTokens, temperature: 0, ignoreEos: true }).result();
  t.is(forced.reason, 'length');
  t.is(forced.tokens, maxTokens);
  t.true(forced.text.startsWith(ended.text));
});

test.serial('a stop string ends the answer and is not part of it, also where it never comes', async (t) => {
  const count = { prompt: 'one two three four five one two three four five one two', temperature: 0, maxTokens: 24 };
  await model.generate(count).result(); // From here on the prompt is in the cache, for all alike.
  const { text } = await model.generate(count).result();
  const stop = text.slice(5, 12); // Across pieces.
  const stopped = await model.generate({ ...count, stop }).result();
  t.is(stopped.reason, 'stop');
  t.is(stopped.stopString, stop);
  t.is(stopped.text, text.slice(0, text.indexOf(stop)));
  const never = await model.generate({ ...count, stop: `${stop}#` }).result();
  t.is(never.reason, 'length');
  t.is(never.text, text);
});

test.serial('the same seed gives the same text, another seed another one', async (t) => {
  const draw = (seed: number) =>
    model.generate({ prompt: 'My favourite', maxTokens: 16, seed, ignoreEos: true }).text();
  await draw(1); // From here on the prompt is in the cache, for all alike.
  const first = await draw(5);
  t.is(await draw(5), first);
  t.not(await draw(6), first);
});

test.serial('every text is valid Unicode, even of tokens drawn at random', async (t) => {
  const options = { prompt: '🎵 naïve 東京', maxTokens: 64, temperature: 100, ignoreEos: true };
  for (const seed of [1, 2, 3]) {
    const events = await readAll(model.generate({ ...options, seed }));
    for (const { text } of events) t.is(Buffer.from(text, 'utf8').toString('utf8'), text);
  }
});

test.serial('emoji come out whole', async (t) => {
  const prompt = 'a 🎵 b 🎵 c 🎵 d 🎵 e 🎵 f 🎵 g';
  const { text } = await model.generate({ prompt, maxTokens: 12, temperature: 0 }).result();
  t.regex(text, /🎵/u); // Three tokens, none of them a character.
  t.false(text.includes('\ufffd'));
});

test.serial('a lone surrogate in a prompt is read as U+FFFD', async (t) => {
  t.deepEqual(model.tokenize('a\ud800b'), model.tokenize('a\ufffdb'));
  const { usage } = await model.generate({ prompt: 'a\ud800b', maxTokens: 1 }).result();
  t.is(usage.promptTokens, model.tokenize('a\ufffdb').length);
});

test.serial('a prompt that fills the context or more is refused with the sizes', async (t) => {
  const prompt = Array.from({ length: contextSize }, () => 500);
  const expected = { code: 'ERR_CONTEXT_OVERFLOW' };
  await t.throwsAsync(model.generate({ prompt }).result(), expected);
  const error = await t.throwsAsync(model.generate({ prompt: 'word '.repeat(2 * contextSize) }).text(), expected);
  t.like(error, { contextSize });
  await t.throwsAsync(model.prefill({ prompt: [...prompt, 500] }), expected);
  await t.throwsAsync(model.logLikelihood({ prompt: 'a b' }, ['word '.repeat(2 * contextSize)]), expected);
});

test.serial('an answer that reaches the end of the context ends there', async (t) => {
  t.timeout(120_000);
  const prompt = [...model.tokenize(makeText(4, 200))].slice(0, contextSize - 5);
  const { tokens, reason } = await model.generate({ prompt, maxTokens: 50, ignoreEos: true }).result();
  t.is(tokens, 5);
  t.is(reason, 'length');
});

test.serial(
  '32 requests cost one call down each and one call up per step, and leave the event loop free',
  async (t) => {
    t.timeout(180_000);
    const prompts = Array.from({ length: 32 }, (_, index) => makeText(50 + index, 3));
    const before = model.stats();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const generate = (prompt: string) => model.generate({ prompt, maxTokens: 24, ignoreEos: true }).result();
    const results = await Promise.all(prompts.map(generate));
    delay.disable();
    const after = model.stats();

    t.true(results.every(({ tokens }) => tokens === 24));
    t.is(after.submittedRequests - before.submittedRequests, 32);
    const steps = after.steps - before.steps;
    t.true(after.callbacks - before.callbacks <= steps, `${after.callbacks - before.callbacks} calls, ${steps} steps`);
    const p99 = delay.percentile(99) / 1e6;
    t.log(`event loop delay p99: ${p99.toFixed(1)} ms; ${steps} steps`);
    t.true(p99 < 20, `${p99} ms`);
  },
);
