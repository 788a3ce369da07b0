import test from 'ava';
import { openFake, pieces } from '../support/open-fake.js';

test('all continuations that keep the context’s tokens go down in one request', async (t) => {
  const { native, model } = await openFake();
  await model.logLikelihood({ prompt: 'The capital is' }, [' Paris', ' Rome', ' the moon']);
  t.is(native.submitted.length, 1);
  const { prompt, pin, candidates, questions } = native.submitted[0];
  t.false(pin);
  t.is(candidates, 0);
  t.deepEqual(pieces(native, prompt), ['<s>', 'The', ' capital', ' is']);
  t.is(questions.length, 1);
  t.is(questions[0].suffix.length, 0);
  t.deepEqual(
    questions[0].labels.map((label) => pieces(native, label)),
    [[' Paris'], [' Rome'], [' the', ' moon']],
  );
});

test('each continuation has its sum, its tokens and whether it is greedy', async (t) => {
  const { model } = await openFake({ logprob: ({ label }) => (label === ' Paris' ? -1 : -4) });
  t.deepEqual(await model.logLikelihood({ prompt: 'It is' }, [' Paris', ' the moon']), [
    { logprob: -1, tokens: 1, tokenLogprobs: [-1], isGreedy: true },
    { logprob: -4, tokens: 2, tokenLogprobs: [-2, -2], isGreedy: false },
  ]);
});

test('a continuation that merges with the context’s end is a request of its own', async (t) => {
  const { native, model } = await openFake({ logprob: ({ label }) => -label.length });
  const results = await model.logLikelihood({ prompt: 'the foo' }, [' x', 'bar!', ' yy']);
  t.is(native.submitted.length, 2);
  const [kept, merged] = native.submitted;
  t.deepEqual(
    kept.questions[0].labels.map((label) => pieces(native, label)),
    [[' x'], [' yy']],
  );
  t.deepEqual(pieces(native, merged.prompt), ['<s>', 'the', ' foobar']);
  t.deepEqual(
    merged.questions[0].labels.map((label) => pieces(native, label)),
    [['!']],
  );
  t.deepEqual(
    results.map(({ logprob }) => logprob),
    [-2, -1, -3],
  );
});

test('a continuation that merges altogether is read as the merged token', async (t) => {
  const { native, model } = await openFake();
  await model.logLikelihood({ prompt: 'the foo' }, ['bar']);
  t.deepEqual(pieces(native, native.submitted[0].prompt), ['<s>', 'the']);
  t.deepEqual(
    native.submitted[0].questions[0].labels.map((label) => pieces(native, label)),
    [[' foobar']],
  );
});

test('spaces at the context’s end belong to the continuations, which still share one request', async (t) => {
  const { native, model } = await openFake();
  await model.logLikelihood({ prompt: 'It is ' }, ['Paris', 'Rome']);
  t.is(native.submitted.length, 1);
  t.deepEqual(pieces(native, native.submitted[0].prompt), ['<s>', 'It', ' is']);
  t.deepEqual(
    native.submitted[0].questions[0].labels.map((label) => pieces(native, label)),
    [[' Paris'], [' Rome']],
  );
});

test('on a prefix, continuations run on its cells', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ prompt: 'It is' });
  await prefix.logLikelihood([' Paris', ' Rome']);
  t.is(native.submitted.length, 2);
  t.like(native.submitted[1], { parent: 1, candidates: 0 });
  t.is(native.submitted[1].prompt.length, 0);
});

test('on a prefix, a continuation that merges runs beside it on its own prompt', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ prompt: 'the foo' });
  await prefix.logLikelihood([' x', 'bar!']);
  t.deepEqual(
    native.submitted.slice(1).map(({ parent, prompt }) => [parent, prompt.length]),
    [
      [1, 0],
      [0, 3],
    ],
  );
});

test('a context of token ids keeps them, and continuations are tokenised alone', async (t) => {
  const { native, model } = await openFake();
  const prompt = native.tokenize('the foo', false, true);
  await model.logLikelihood({ prompt }, ['bar']);
  t.deepEqual(native.submitted[0].prompt, prompt);
  t.deepEqual(
    native.submitted[0].questions[0].labels.map((label) => pieces(native, label)),
    [['bar']],
  );
});

test('behind a conversation the continuation is the answer', async (t) => {
  const { native, model } = await openFake();
  await model.logLikelihood({ messages: [{ role: 'user', content: 'Capital?' }] }, ['Paris']);
  t.true(native.detokenize(native.submitted[0].prompt, true).endsWith('<|im_start|>assistant\n'));
});

test('a continuation with nothing before it is refused', async (t) => {
  const { model } = await openFake({ info: { addsBos: false } });
  await t.throwsAsync(model.logLikelihood({ prompt: ' ' }, ['Paris']), { code: 'ERR_PROMPT_EMPTY' });
});

test('a continuation that does not fit in the context is refused, and the other requests are cancelled', async (t) => {
  const { native, model } = await openFake({ manual: true, info: { contextSize: 4 } });
  await t.throwsAsync(model.logLikelihood({ prompt: 'a foo' }, [' x', 'bar c d e f']), {
    code: 'ERR_CONTEXT_OVERFLOW',
  });
  t.deepEqual(native.cancelled, [1]);
});

test('empty continuations are refused', async (t) => {
  const { model } = await openFake();
  await t.throwsAsync(model.logLikelihood({ prompt: 'x' }, ['']), {
    code: 'ERR_OPTION_VALUE',
    message: /continuations\[0\]/,
  });
});

test('a signal ends it with its reason', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const controller = new AbortController();
  const scoring = model.logLikelihood({ prompt: 'x', signal: controller.signal }, [' y']);
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort(new Error('enough'));
  await t.throwsAsync(scoring, { message: 'enough' });
  t.deepEqual(native.cancelled, [1]);
});
