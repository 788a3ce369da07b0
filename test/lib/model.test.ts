import test from 'ava';
import { EngineError } from '../../lib/errors.js';
import { openFake } from '../support/open-fake.js';

test('info tells what the model is and can do', async (t) => {
  const { model } = await openFake();
  t.like(model.info, {
    architecture: 'fake',
    parameters: 1_000_000,
    contextSize: 1024,
    cacheType: 'f16',
    specialTokens: { bos: 1, eos: 2, end: [2] },
    encoding: { maxTextTokens: 64, vectorSize: 3, pooling: 'last', classes: [] },
    capabilities: {
      fork: true,
      generate: true,
      encoderDecoder: false,
      embed: true,
      head: false,
      batchInvariant: false,
      chat: true,
    },
  });
});

test('tokens that the model does not have are null', async (t) => {
  const { model } = await openFake({ info: { bosToken: -1, endTokens: [], eosToken: -1, chatTemplate: '' } });
  t.deepEqual(model.info.specialTokens, { bos: null, eos: null, end: [] });
  t.false(model.info.capabilities.chat);
});

test('tokenize() gives the tokens that a prompt would have', async (t) => {
  const { native, model } = await openFake();
  const tokens = model.tokenize('Hello<|im_end|>');
  await model.generate({ prompt: 'Hello<|im_end|>' }).result();
  t.deepEqual(tokens, native.submitted[0].prompt);
});

test('tokenize() can leave special tokens out, added or read', async (t) => {
  const { model } = await openFake();
  const tokens = model.tokenize('a<s>', { addSpecial: false, parseSpecial: false });
  t.is(tokens.length, 4); // a < s >
  t.is(model.detokenize(tokens), 'a<s>');
});

test('detokenize() shows special tokens on demand', async (t) => {
  const { model } = await openFake();
  const tokens = [...model.tokenize('Hello')];
  t.is(model.detokenize(tokens), 'Hello');
  t.is(model.detokenize(tokens, { special: true }), '<s>Hello');
});

test('tokenize() and detokenize() check what they get', async (t) => {
  const { model } = await openFake();
  t.throws(() => model.tokenize(5 as never), { code: 'ERR_OPTION_VALUE' });
  t.throws(() => model.tokenize('x', { addBos: true } as never), { code: 'ERR_OPTION_UNKNOWN' });
  t.throws(() => model.detokenize([50_000]), { code: 'ERR_OPTION_VALUE', message: /from 0 to 49999/ });
  t.throws(() => model.detokenize('x' as never), { code: 'ERR_OPTION_VALUE' });
});

test('what the native tokenizer refuses is an error of the package, of a request, too', async (t) => {
  const { model, native } = await openFake();
  const refused = { instanceOf: EngineError, code: 'ERR_TEXT_TOO_LONG' };
  native.tokenize = () => {
    throw Object.assign(new Error('too long'), { code: 'ERR_TEXT_TOO_LONG' });
  };
  t.throws(() => model.tokenize('text'), refused);
  await t.throwsAsync(model.generate({ prompt: 'text' }).result(), refused);
});

test('applyChatTemplate() gives the text of a conversation', async (t) => {
  const { model } = await openFake();
  const messages = [{ role: 'user', content: 'Hi' }];
  t.is(await model.applyChatTemplate(messages), '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n');
  t.is(await model.applyChatTemplate(messages, { addGenerationPrompt: false }), '<|im_start|>user\nHi<|im_end|>\n');
});

test('the option chatTemplate replaces the model’s template', async (t) => {
  const { model } = await openFake({}, { chatTemplate: '{{ messages[0].content }}!' });
  t.is(await model.applyChatTemplate([{ role: 'user', content: 'Hi' }]), 'Hi!');
});

test('a model without a template says what to do instead', async (t) => {
  const { model } = await openFake({ info: { chatTemplate: '' } });
  const error = { code: 'ERR_NO_CHAT_TEMPLATE', message: /prompt instead of messages/ };
  await t.throwsAsync(model.generate({ messages: [{ role: 'user', content: 'Hi' }] }).result(), error);
});

test('stats() are the engine’s', async (t) => {
  const { model } = await openFake();
  await model.generate({ prompt: 'x' }).result();
  t.like(model.stats(), { running: 0, submittedRequests: 1 });
});
