// OpenAI's requests on a scripted engine.
import test from 'ava';
import { answerOpenAi, openAiError } from '../../lib/openai/answer.js';
import type { FakeOptions } from '../support/fake-native.js';
import { openFake } from '../support/open-fake.js';

const messages = [{ role: 'user', content: 'Hi' }];

async function ask(url: string, body: object, options: FakeOptions = {}) {
  const { model, native } = await openFake(options);
  const answer = await answerOpenAi(url, body, { model, seed: 7, created: 1700000000, name: 'x' });
  return { answer, native };
}
const chat = (body: object, options?: FakeOptions) => ask('/v1/chat/completions', body, options);
const complete = (body: object, options?: FakeOptions) => ask('/v1/completions', body, options);

test('a chat completion has the shape that clients read', async (t) => {
  const { answer } = await chat({ model: 'tiny', messages });
  t.deepEqual(answer, {
    id: 'chatcmpl-x',
    object: 'chat.completion',
    created: 1700000000,
    model: 'tiny',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hello world!', refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 },
  });
});

test('what a chat asks for is what the engine is asked', async (t) => {
  const body = {
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'H' },
          { type: 'text', text: 'i' },
        ],
        name: 'Ann',
      },
    ],
    ...{
      temperature: 0.5,
      top_p: 0.9,
      seed: 3,
      stop: '\n',
      max_tokens: 2,
      presence_penalty: 1,
      frequency_penalty: null,
    },
    ...{ logit_bias: { 5: -100 }, user: 'someone', stream: false },
  };
  const { native, answer } = await chat(body);
  const [request] = native.submitted;
  t.like(request, { temperature: 0.5, seed: 3, maxTokens: 2, presencePenalty: 1, frequencyPenalty: 0, stop: ['\n'] });
  t.deepEqual([...request.biasTokens], [5]);
  t.regex(
    native.detokenize(request.prompt, true),
    /<\|im_start\|>system\nBe brief\.<\|im_end\|>\n<\|im_start\|>user\nHi</,
  );
  t.like(answer, { choices: [{ finish_reason: 'length', message: { content: 'Hello world' } }] });
});

test('several choices are drawn with seeds of their own, the first with the given one', async (t) => {
  const { native, answer } = await chat({ messages, n: 3 });
  const seeds = native.submitted.map(({ seed }) => seed);
  t.is(seeds[0], 7);
  t.is(new Set(seeds).size, 3);
  const { choices, usage } = answer as { choices: { index: number }[]; usage: Record<string, number> };
  t.deepEqual(
    choices.map(({ index }) => index),
    [0, 1, 2],
  );
  t.is(usage.prompt_tokens, 10, 'the prompt counts once');
  t.is(usage.completion_tokens, 12);
});

test('log-probabilities come in OpenAI’s two shapes', async (t) => {
  const { answer } = await chat({ messages, logprobs: true, top_logprobs: 1, max_tokens: 2 });
  const top = [{ token: 'Hello', bytes: [...Buffer.from('Hello')], logprob: -0.5 }];
  t.like(answer, { choices: [{ logprobs: { content: [{ token: 'Hello', logprob: -0.5, top_logprobs: top }] } }] });
  const { answer: legacy } = await complete({ prompt: 'Say', logprobs: 1, max_tokens: 2 });
  t.like(legacy, {
    object: 'text_completion',
    choices: [
      {
        text: 'Hello world',
        logprobs: {
          tokens: ['Hello', ' world'],
          token_logprobs: [-0.5, -0.5],
          text_offset: [0, 5],
          top_logprobs: [{ Hello: -0.5 }, { ' world': -0.5 }],
        },
      },
    ],
  });
});

test('completions take texts, token ids and lists of either', async (t) => {
  for (const [prompt, count] of [
    ['One', 1],
    [[3, 4], 1],
    [['One', 'Two'], 2],
    [[[3], [4], [5]], 3],
  ] as const) {
    const { answer, native } = await complete({ prompt });
    t.is((answer.choices as object[]).length, count);
    t.is(native.submitted[0].maxTokens, 16);
  }
});

test('response formats become grammars', async (t) => {
  const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] };
  for (const response_format of [
    { type: 'json_object' },
    { type: 'json_schema', json_schema: { name: 'x', schema } },
  ]) {
    const { native } = await chat({ messages, response_format });
    t.truthy(native.submitted[0].grammar);
  }
  t.falsy((await chat({ messages, response_format: { type: 'text' } })).native.submitted[0].grammar);
});

test('what is wrong, or not served, is refused by name', async (t) => {
  const cases: [object, RegExp][] = [
    [{}, /body\.messages/],
    [{ messages, tools: [{}] }, /tools/],
    [{ messages, stream: true }, /body\.stream/],
    [{ messages, n: 0 }, /body\.n /],
    [{ messages, temperature: -1 }, /temperature/],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }, /content\[0\]\.type/],
    [{ messages: [{ role: 'assistant', content: 'x', tool_calls: [] }] }, /tool_calls/],
    [{ messages, response_format: { type: 'json_schema', json_schema: {} } }, /schema/],
  ];
  for (const [body, message] of cases) await t.throwsAsync(chat(body), { name: 'OptionError', message });
  await t.throwsAsync(complete({ prompt: [{}] }), { name: 'OptionError', message: /body\.prompt/ });
  await t.throwsAsync(ask('/v1/embeddings', { input: 'x' }), { code: 'ERR_UNSUPPORTED' });
  await t.throwsAsync(ask('/v1/images', {}), { code: 'ERR_OPTION_VALUE', message: /url must be/ });
});

test('errors say whose fault they are', (t) => {
  t.like(openAiError('OptionError', 'ERR_OPTION_VALUE', 'm'), {
    status: 400,
    body: { error: { message: 'm', type: 'invalid_request_error', param: null, code: 'ERR_OPTION_VALUE' } },
  });
  t.like(openAiError('EngineError', 'ERR_COMPUTE', 'm'), { status: 500, body: { error: { type: 'server_error' } } });
});
