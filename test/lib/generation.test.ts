import test from 'ava';
import { getEventListeners } from 'node:events';
import { ContextOverflowError, OptionError, WinnowError } from '../../lib/errors.js';
import { collect, openFake, settle } from '../support/open-fake.js';

test('tokens arrive as events and the finish comes last', async (t) => {
  const { model } = await openFake();
  const events = await collect(model.generate({ prompt: 'Say hello', seed: 7 }));
  t.deepEqual(
    events.map((event) => event.text),
    ['Hello', ' world', '!', '', 'Hello world!'],
  );
  t.like(events.at(-1), { type: 'finish', reason: 'eos', text: 'Hello world!', seed: 7, tokens: 4 });
});

test('result() and text() need no reader', async (t) => {
  const { model } = await openFake();
  const generation = model.generate({ prompt: 'Say hello' });
  const result = await generation.result();
  t.is(result.text, 'Hello world!');
  t.is(result.tokens, 4);
  t.is(result.tokenIds.length, 4);
  t.is(result.tokenIds.at(-1), 2); // The token that ended it.
  t.is(result.usage.generatedTokens, 4);
  t.is(result.timings.totalMs, 10);
  t.is(await generation.text(), 'Hello world!');
});

test('the events can be read after the result is there', async (t) => {
  const { model } = await openFake();
  const generation = model.generate({ prompt: 'Say hello' });
  await generation.result();
  t.is((await collect(generation)).length, 5);
});

test('the events can be read once', async (t) => {
  const { model } = await openFake();
  const generation = model.generate({ prompt: 'Say hello' });
  await collect(generation);
  await t.throwsAsync(collect(generation), { instanceOf: WinnowError, code: 'ERR_ALREADY_READ' });
});

test('a request is one native call with the beginning-of-text token in front', async (t) => {
  const { native, model } = await openFake();
  await model.generate({ prompt: 'Say hello', maxTokens: 5, temperature: 0 }).result();
  t.is(native.submitted.length, 1);
  t.like(native.submitted[0], { parent: 0, pin: false, candidates: 1, maxTokens: 5, temperature: 0, questions: [] });
  t.deepEqual([...native.submitted[0].prompt], [1, ...native.tokenize('Say hello', false, true)]);
});

test('token ids go down as they are', async (t) => {
  const { native, model } = await openFake();
  await model.generate({ prompt: [5, 6, 7] }).result();
  t.deepEqual([...native.submitted[0].prompt], [5, 6, 7]);
});

test('messages go through the chat template, whose beginning-of-text token is not doubled', async (t) => {
  const { native, model } = await openFake({ info: { chatTemplate: '{{ bos_token }}{{ messages[0].content }}' } });
  await model.generate({ messages: [{ role: 'user', content: 'Hi' }] }).result();
  t.deepEqual([...native.submitted[0].prompt], [1, native.vocabulary.idOf('Hi')]);
});

test('a conversation ends where the assistant begins to speak', async (t) => {
  const { native, model } = await openFake();
  await model.generate({ messages: [{ role: 'user', content: 'Hi' }] }).result();
  t.is(
    native.detokenize(native.submitted[0].prompt, true),
    '<s><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n',
  );
});

test('text that was held back comes with the last token', async (t) => {
  const { model } = await openFake({ answer: () => ({ pieces: ['Hi', ' there'], rest: '\n' }) });
  const events = await collect(model.generate({ prompt: 'x' }));
  t.deepEqual(events[2], { type: 'token', text: '\n', token: model.info.specialTokens.eos });
  t.like(events[3], { type: 'finish', text: 'Hi there\n' });
});

test('the finish tells which stop string was found', async (t) => {
  const { model } = await openFake({ answer: () => ({ pieces: ['Hi'], reason: 'stop', stopString: 'END' }) });
  t.like(await model.generate({ prompt: 'x', stop: ['END'] }).result(), {
    text: 'Hi',
    reason: 'stop',
    stopString: 'END',
  });
});

test('log-probabilities come with tokens and in the result where they are asked for', async (t) => {
  const { model } = await openFake({ answer: () => ({ pieces: ['Hi'] }) });
  const [token, , finish] = await collect(model.generate({ prompt: 'x', topLogprobs: 1 }));
  t.like(token, { type: 'token', text: 'Hi', logprob: -0.5 });
  t.like((token as { topLogprobs?: unknown[] }).topLogprobs?.[0], { text: 'Hi', logprob: -0.5 });
  t.like(finish, { type: 'finish', logprobs: [-0.5, -0.5] });
});

test('without logprobs neither events nor result have any', async (t) => {
  const { model } = await openFake();
  const events = await collect(model.generate({ prompt: 'x' }));
  t.deepEqual(Object.keys(events[0]).sort(), ['text', 'token', 'type']);
  t.false('logprobs' in events.at(-1)!);
});

test('maxTokens is cut to the room in the context', async (t) => {
  const { native, model } = await openFake({ info: { contextSize: 10 } });
  await model.generate({ prompt: [5, 6, 7], maxTokens: 50, minTokens: 20 }).result();
  t.like(native.submitted[0], { maxTokens: 7, minTokens: 7 });
});

test('a prompt that fills the context is refused with both sizes', async (t) => {
  const { native, model } = await openFake({ info: { contextSize: 4 } });
  const error = await t.throwsAsync(model.generate({ prompt: [3, 4, 5, 6] }).result(), {
    instanceOf: ContextOverflowError,
  });
  t.like(error, { code: 'ERR_CONTEXT_OVERFLOW', promptTokens: 4, contextSize: 4 });
  t.is(native.submitted.length, 0);
});

test('an empty prompt is refused unless the model adds a token', async (t) => {
  const plain = await openFake({ info: { addsBos: false } });
  await t.throwsAsync(plain.model.generate({ prompt: '' }).result(), { code: 'ERR_PROMPT_EMPTY' });
  await t.throwsAsync(plain.model.generate({ prompt: [] }).result(), { code: 'ERR_PROMPT_EMPTY' });
  const withBos = await openFake();
  t.is(await withBos.model.generate({ prompt: '' }).text(), 'Hello world!');
});

test('wrong options throw at once and nothing is submitted', async (t) => {
  const { native, model } = await openFake();
  t.throws(() => model.generate({ prompt: 'x', temperature: NaN }), {
    instanceOf: OptionError,
    code: 'ERR_OPTION_VALUE',
  });
  t.throws(() => model.generate({ prompt: 'x', tmeperature: 1 } as never), { code: 'ERR_OPTION_UNKNOWN' });
  await settle();
  t.is(native.submitted.length, 0);
});

test('a model that can’t generate says so', async (t) => {
  const { model } = await openFake({ info: { canGenerate: false } });
  await t.throwsAsync(model.generate({ prompt: 'x' }).result(), { code: 'ERR_UNSUPPORTED', message: /fake/ });
});

test('the error of a request is thrown behind what came before it, and rejects its result', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const generation = model.generate({ prompt: 'x' });
  await settle();
  native.step();
  native.emit([{ type: 'error', request: 1, code: 'ERR_DECODE', message: 'broken', facts: {} }]);
  const texts: string[] = [];
  const reading = (async () => {
    for await (const event of generation) texts.push(event.text);
  })();
  const error = await t.throwsAsync(reading, { instanceOf: WinnowError, code: 'ERR_DECODE', message: 'broken' });
  t.deepEqual(texts, ['Hello']);
  t.is(await t.throwsAsync(generation.result()), error);
});

test('an error of submit() is the request’s error', async (t) => {
  const submitError = Object.assign(new Error('too small'), { code: 'ERR_CACHE_TOO_SMALL' });
  const { model } = await openFake({ submitError });
  const error = await t.throwsAsync(model.generate({ prompt: 'x' }).result(), { code: 'ERR_CACHE_TOO_SMALL' });
  t.is(error?.cause, submitError);
});

test('one request’s error leaves the others alone', async (t) => {
  const { model } = await openFake({ errors: { 0: { code: 'ERR_DECODE', message: 'broken' } } });
  const [failed, fine] = [model.generate({ prompt: 'a' }), model.generate({ prompt: 'b' })];
  await t.throwsAsync(failed.result(), { code: 'ERR_DECODE' });
  t.is(await fine.text(), 'Hello world!');
});

test('breaking out of a generation cancels it', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const generation = model.generate({ prompt: 'x' });
  await settle();
  native.step();
  for await (const _ of generation) break;
  t.deepEqual(native.cancelled, [1]);
  await t.throwsAsync(generation.result(), { code: 'ERR_CANCELLED' });
});

test('an error thrown while reading cancels the generation', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const generation = model.generate({ prompt: 'x' });
  await settle();
  native.step();
  const own = new Error('mine');
  const reading = (async () => {
    for await (const _ of generation) throw own;
  })();
  t.is(await t.throwsAsync(reading), own);
  t.deepEqual(native.cancelled, [1]);
});

test('breaking out behind the finish cancels nothing', async (t) => {
  const { native, model } = await openFake();
  const generation = model.generate({ prompt: 'x' });
  await generation.result();
  for await (const _ of generation) break;
  t.deepEqual(native.cancelled, []);
  t.is(await generation.text(), 'Hello world!');
});

test('a signal that has fired before submits nothing', async (t) => {
  const { native, model } = await openFake();
  const reason = new Error('too late');
  const generation = model.generate({ prompt: 'x', signal: AbortSignal.abort(reason) });
  t.is(await t.throwsAsync(generation.result()), reason);
  t.is(await t.throwsAsync(collect(generation)), reason);
  t.is(native.submitted.length, 0);
});

test('a signal that fires meanwhile cancels, and reading throws its reason behind what came before', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const controller = new AbortController();
  const generation = model.generate({ prompt: 'x', signal: controller.signal });
  await settle();
  native.step();
  controller.abort();
  t.deepEqual(native.cancelled, [1]);
  const texts: string[] = [];
  const reading = (async () => {
    for await (const event of generation) texts.push(event.text);
  })();
  await t.throwsAsync(reading, { any: true, name: 'AbortError' });
  t.deepEqual(texts, ['Hello']);
  await t.throwsAsync(generation.result(), { any: true, name: 'AbortError' });
});

test('a signal that fires while the template is filled submits nothing', async (t) => {
  const { native, model } = await openFake();
  const controller = new AbortController();
  const generation = model.generate({ messages: [{ role: 'user', content: 'Hi' }], signal: controller.signal });
  controller.abort();
  await t.throwsAsync(generation.result(), { any: true, name: 'AbortError' });
  await model.close({ drain: true }); // Waits for the template.
  t.is(native.submitted.length, 0);
});

test('a signal that fires after the end changes nothing', async (t) => {
  const { native, model } = await openFake();
  const controller = new AbortController();
  const generation = model.generate({ prompt: 'x', signal: controller.signal });
  await generation.result();
  controller.abort();
  t.is(await generation.text(), 'Hello world!');
  t.deepEqual(native.cancelled, []);
});

test('events that arrive after a cancellation are ignored', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const generation = model.generate({ prompt: 'x' });
  await settle();
  generation.cancel();
  native.emit([{ type: 'token', request: 1, candidate: 0, token: 5, text: 'late' }]);
  await t.throwsAsync(collect(generation), { code: 'ERR_CANCELLED' });
});

test.serial('an abandoned request that fails is no unhandled rejection', async (t) => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  const { model } = await openFake({ errors: { 0: { code: 'ERR_DECODE', message: 'broken' } } });
  model.generate({ prompt: 'x' });
  model.generate({ prompt: 'x', signal: AbortSignal.abort() });
  await model.close({ drain: true });
  await settle();
  process.off('unhandledRejection', listener);
  t.deepEqual(unhandled, []);
});

test('thousands of requests share one signal without a warning, and leave no listener', async (t) => {
  const warnings: Error[] = [];
  const listener = (warning: Error) => warnings.push(warning);
  process.on('warning', listener);
  const { model } = await openFake();
  const { signal } = new AbortController();
  const generations = Array.from({ length: 3000 }, () => model.generate({ prompt: 'x', signal }));
  const texts = await Promise.all(generations.map((generation) => generation.text()));
  await settle();
  process.off('warning', listener);
  t.true(texts.every((text) => text === 'Hello world!'));
  t.is(getEventListeners(signal, 'abort').length, 0);
  t.deepEqual(warnings, []);
});

test('a slow reader gets every event', async (t) => {
  const answer = () => ({
    pieces: Array.from({ length: 200 }, (_, index) => ` w${String.fromCharCode(97 + (index % 26))}`),
  });
  const { native, model } = await openFake({ answer });
  const generation = model.generate({ prompt: 'x' });
  let count = 0;
  for await (const event of generation) {
    if (count++ === 0) await generation.result(); // All the rest waits.
    if (event.type === 'finish') t.is(event.tokens, 201);
  }
  t.is(count, 202);
  t.true(native.isIdle);
});

test('emoji go down and come back whole', async (t) => {
  const { native, model } = await openFake({ answer: () => ({ pieces: ['👩‍🚀', 'é'] }) });
  t.is(await model.generate({ prompt: 'A 👩‍🚀 flies' }).text(), '👩‍🚀é');
  t.is(native.detokenize(native.submitted[0].prompt, false), 'A 👩‍🚀 flies');
});
