import fc from 'fast-check';
import test from 'ava';
import { ContextOverflowError, OptionError } from '../../lib/errors.js';
import { rollingWindows } from '../../lib/rolling.js';
import { openFake, pieces } from '../support/open-fake.js';

const windows = (count: number, window: number, stride: number) =>
  [...rollingWindows(count, window, stride)].map(({ from, begin, end }) => [from, begin, end]);

test('windows without overlap score behind one token each', (t) => {
  t.deepEqual(windows(8, 3, 3), [
    [0, 1, 4],
    [3, 4, 7],
    [4, 7, 8],
  ]);
});

test('a stride gives every later token more context', (t) => {
  t.deepEqual(windows(7, 4, 2), [
    [0, 1, 5],
    [2, 5, 7],
  ]);
});

test('a text that fits is one window', (t) => {
  t.deepEqual(windows(5, 10, 3), [[0, 1, 5]]);
  t.deepEqual(windows(1, 10, 3), []);
});

test('every token is scored once, behind something, in windows that fit', (t) => {
  const sizes = fc.record({ count: fc.integer({ min: 2, max: 200 }), window: fc.integer({ min: 1, max: 50 }) });
  t.notThrows(() =>
    fc.assert(
      fc.property(sizes, fc.double({ min: 0.01, max: 1, noNaN: true }), ({ count, window }, share) => {
        const stride = Math.max(1, Math.floor(window * share));
        let next = 1;
        for (const { from, begin, end } of rollingWindows(count, window, stride)) {
          if (begin !== next || from < 0 || from >= begin || end <= begin || end - 1 - from > window) return false;
          next = end;
        }
        return next === count;
      }),
    ),
  );
});

test('perplexity is over all tokens, the first behind the beginning of the text', async (t) => {
  const { native, model } = await openFake({ logprob: () => -6 });
  const result = await model.perplexity('a b c d e f', { window: 4 });
  t.deepEqual(
    native.submitted.map(({ prompt, questions }) => [
      pieces(native, prompt).join(''),
      pieces(native, questions[0].labels[0]).join(''),
    ]),
    [
      ['<s>', 'a b c d'],
      [' b c d', ' e f'],
    ],
  );
  t.is(result.logprob, -12);
  t.is(result.tokens, 6);
  t.is(result.perplexity, Math.exp(2));
  t.is(result.bitsPerByte, 12 / Math.LN2 / 11);
});

test('of token ids the first is only context', async (t) => {
  const { native, model } = await openFake({ logprob: () => -1 });
  const result = await model.perplexity([7, 8, 9]);
  t.deepEqual([...native.submitted[0].prompt], [7]);
  t.like(result, { tokens: 2, bitsPerByte: null });
});

test('without a beginning-of-text token the end of the text before stands in front', async (t) => {
  const { native, model } = await openFake({ info: { bosToken: -1, addsBos: false } });
  await model.perplexity('a b');
  t.deepEqual(pieces(native, native.submitted[0].prompt), ['</s>']);
});

test('a text without a token to score is refused', async (t) => {
  const { model } = await openFake();
  await t.throwsAsync(model.perplexity(''), { code: 'ERR_PROMPT_EMPTY' });
  await t.throwsAsync(model.perplexity([5]), { code: 'ERR_PROMPT_EMPTY' });
});

test('windows and strides are checked', async (t) => {
  const { model } = await openFake({ info: { contextSize: 8 } });
  for (const options of [{ window: 0 }, { window: 9 }, { window: 4, stride: 5 }, { stride: 0 }, { strides: 1 }])
    await t.throwsAsync(model.perplexity('a b', options), { instanceOf: OptionError });
});

test('the tokens of a prompt come with their log-probabilities, but for the first', async (t) => {
  const { model } = await openFake({ logprob: () => -3 });
  const tokens = await model.promptLogprobs({ prompt: 'a b c' });
  t.deepEqual(
    tokens.map(({ text, logprob }) => [text, logprob]),
    [
      ['<s>', null],
      ['a', -1],
      [' b', -1],
      [' c', -1],
    ],
  );
});

test('the likeliest tokens come with each place', async (t) => {
  const { native, model } = await openFake({ logprob: () => -2 });
  const [, first] = await model.promptLogprobs({ prompt: 'a b' }, { topLogprobs: 2 });
  t.is(native.submitted[0].questions[0].topLogprobs, 2);
  t.deepEqual(
    first.topLogprobs?.map(({ text, logprob }) => [text, logprob]),
    [
      ['a', -0.1],
      ['a', -0.2],
    ],
  );
});

test('a context that holds no window is refused by the engine’s size, not by a crash', async (t) => {
  const { model } = await openFake({ info: { contextSize: 2 } });
  await t.notThrowsAsync(model.perplexity('a b c d e'));
  await t.throwsAsync(model.classify({ prompt: 'a b c' }, { q: { type: 'boolean', instructions: 'x' } }), {
    instanceOf: ContextOverflowError,
  });
});

test('a signal ends the windows that are to come', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const controller = new AbortController();
  const scoring = model.perplexity('a b c d e f', { window: 2, signal: controller.signal });
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort(new Error('enough'));
  await t.throwsAsync(scoring, { message: 'enough' });
  t.is(native.submitted.length, 1);
});
