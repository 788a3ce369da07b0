import test from 'ava';
import { ClosedError, OptionError, TemplateError } from '../../lib/errors.js';
import { openFake, pieces, settle } from '../support/open-fake.js';

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const system = (content: string) => ({ role: 'system', content });

async function prefillFake(messages: { role: string; content: string }[], addGenerationPrompt?: boolean) {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ messages, addGenerationPrompt });
  return { native, model, prefix };
}

test('a prefix is pinned by one request, and knows its tokens, text and cost', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ prompt: 'Once upon a time' });
  t.like(native.submitted[0], { pin: true, candidates: 0, questions: [], parent: 0 });
  t.is(prefix.tokens, 5);
  t.is(prefix.text, 'Once upon a time');
  t.is(prefix.usage.evaluatedPromptTokens, 5);
  t.deepEqual(native.openPrefixes, [1]);
});

test('a prefix of token ids has no text', async (t) => {
  const { model } = await openFake();
  const prefix = await model.prefill({ prompt: [5, 6] });
  t.is(prefix.tokens, 2);
  t.is(prefix.text, undefined);
});

test('what is generated on a prefix evaluates only what follows it', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ prompt: 'Once' });
  const { text, usage } = await prefix.generate().result();
  t.is(text, 'Hello world!');
  t.like(native.submitted[1], { parent: 1, candidates: 1 });
  t.is(native.submitted[1].prompt.length, 0);
  t.like(usage, { promptTokens: 2, cachedTokens: 2, evaluatedPromptTokens: 0 });
});

test('text can be appended, without another beginning-of-text token', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ prompt: 'Once' });
  await prefix.generate({ prompt: ' upon a time' }).result();
  t.deepEqual(pieces(native, native.submitted[1].prompt), [' upon', ' a', ' time']);
});

test('token ids can be appended', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ prompt: 'Once' });
  await prefix.generate({ prompt: [7, 8] }).result();
  t.deepEqual([...native.submitted[1].prompt], [7, 8]);
});

test('a prefix of a user’s message ends where the assistant begins to speak', async (t) => {
  const { prefix, native } = await prefillFake([user('Hi')]);
  t.is(prefix.text, '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n');
  await prefix.generate().result();
  t.is(native.submitted[1].prompt.length, 0);
});

test('a prefix of system words ends behind them, and the user’s message is appended', async (t) => {
  const { prefix, native } = await prefillFake([system('Be kind.')]);
  t.is(prefix.text, '<|im_start|>system\nBe kind.<|im_end|>\n');
  await prefix.generate({ messages: [user('Hi')] }).result();
  t.is(native.detokenize(native.submitted[1].prompt, true), '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n');
});

test('behind a finished answer, generating begins a new one', async (t) => {
  const { prefix, native } = await prefillFake([user('Hi'), assistant('Hello')]);
  await prefix.generate().result();
  t.is(native.detokenize(native.submitted[1].prompt, true), '<|im_start|>assistant\n');
});

test('where the assistant was about to speak, its message can be appended', async (t) => {
  const { prefix, native } = await prefillFake([user('Hi')]);
  await prefix.generate({ messages: [assistant('Hello'), user('Bye')] }).result();
  const text = native.detokenize(native.submitted[1].prompt, true);
  t.is(text, 'Hello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n');
});

test('a message that can’t follow the prefix is a template error that tells why', async (t) => {
  const { prefix } = await prefillFake([user('Hi')]);
  await t.throwsAsync(prefix.generate({ messages: [user('Are you there?')] }).result(), {
    instanceOf: TemplateError,
    code: 'ERR_TEMPLATE_NOT_EXTENDED',
    message: /the next message must be the assistant/,
  });
});

test('messages can’t follow raw text', async (t) => {
  const { model } = await openFake();
  const prefix = await model.prefill({ prompt: 'Once' });
  await t.throwsAsync(prefix.generate({ messages: [user('Hi')] }).result(), { instanceOf: OptionError });
});

test('the beginning of an answer can be put into the assistant’s mouth, and questions still follow the answer', async (t) => {
  const { prefix, native } = await prefillFake([user('Hi')]);
  const answer = await prefix.fork({ prompt: 'Sure' });
  t.is(answer.text, '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nSure');
  await answer.classify({ q: { type: 'boolean', instructions: 'Polite?' } });
  const suffix = native.detokenize(native.submitted[2].questions[0].suffix, true);
  t.true(suffix.startsWith('<|im_end|>\n<|im_start|>user\nPolite?'));
});

test('text behind a closed message leaves the conversation', async (t) => {
  const { prefix, native } = await prefillFake([user('Hi'), assistant('Hello')]);
  const fork = await prefix.fork({ prompt: 'Note:' });
  await fork.classify({ q: { type: 'boolean', instructions: 'Polite?' } });
  const suffix = native.detokenize(native.submitted[2].questions[0].suffix, true);
  t.true(suffix.startsWith('\n\nQuestion: Polite?'));
});

test('a fork is a prefix of its own that outlives the first', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ prompt: 'Once' });
  const fork = await prefix.fork();
  t.like(native.submitted[1], { pin: true, parent: 1 });
  t.is(native.submitted[1].prompt.length, 0);
  await prefix.close();
  t.is(fork.tokens, prefix.tokens);
  t.is(await fork.generate().text(), 'Hello world!');
  t.is(native.submitted[2].parent, 2);
});

test('a fork with more behind it has all of the tokens', async (t) => {
  const { prefix, native } = await prefillFake([system('Be kind.')]);
  const fork = await prefix.fork({ messages: [user('Hi')] });
  t.is(fork.text, '<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n');
  t.is(fork.tokens, native.tokenize(fork.text!, true, true).length);
});

test('questions on a prefix go down in one request on its cells', async (t) => {
  const { prefix, native } = await prefillFake([user('Hi'), assistant('Hello')]);
  const { polite } = await prefix.classify({ polite: { type: 'boolean', instructions: 'Polite?' } });
  t.true(Math.abs(polite.probability - 2 / 3) < 1e-12); // 0.5 and 0.25.
  t.like(native.submitted[1], { parent: 1, candidates: 0, pin: false });
  t.is(native.submitted[1].prompt.length, 0);
});

test('closing lets the tokens go, once', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ prompt: 'Once' });
  await prefix.close();
  await prefix.close();
  t.deepEqual(native.released, [1]);
  t.deepEqual(native.openPrefixes, []);
});

test('a prefix disposes itself', async (t) => {
  const { native, model } = await openFake();
  {
    await using _ = await model.prefill({ prompt: 'Once' });
  }
  t.deepEqual(native.released, [1]);
});

test('nothing can be asked of a closed prefix', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ prompt: 'Once' });
  await prefix.close();
  const closed = { instanceOf: ClosedError, code: 'ERR_PREFIX_CLOSED' };
  await t.throwsAsync(prefix.generate().result(), closed);
  await t.throwsAsync(prefix.sample({ count: 2 }).result(), closed);
  await t.throwsAsync(prefix.winnow().result(), closed);
  await t.throwsAsync(prefix.classify({ q: { type: 'boolean', instructions: 'x' } }), closed);
  await t.throwsAsync(prefix.logLikelihood([' x']), closed);
  await t.throwsAsync(prefix.fork(), closed);
  t.is(native.submitted.length, 1);
});

test('a prefill that is given up leaves nothing pinned, even if it had just become ready', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const controller = new AbortController();
  const filling = model.prefill({ prompt: 'Once', signal: controller.signal });
  await settle();
  controller.abort(new Error('enough'));
  await t.throwsAsync(filling, { message: 'enough' });
  t.deepEqual(native.cancelled, [1]);
  t.deepEqual(native.released, [1]);
});

test('a prompt that does not fit is refused before it is pinned', async (t) => {
  const { native, model } = await openFake({ info: { contextSize: 3 } });
  await t.throwsAsync(model.prefill({ prompt: [3, 4, 5, 6] }), { code: 'ERR_CONTEXT_OVERFLOW' });
  t.is(native.submitted.length, 0);
});

test('a model that can’t fork says so', async (t) => {
  const { model } = await openFake({ info: { canFork: false } });
  await t.throwsAsync(model.prefill({ prompt: 'x' }), { code: 'ERR_UNSUPPORTED' });
});

test('misspelt options are told everywhere', async (t) => {
  const { model } = await openFake();
  const prefix = await model.prefill({ prompt: 'x' });
  const unknown = { code: 'ERR_OPTION_UNKNOWN' };
  t.throws(() => prefix.generate({ topk: 1 } as never), unknown);
  t.throws(() => prefix.sample({ count: 1, topk: 1 } as never), unknown);
  t.throws(() => prefix.winnow({ candidate: 1 } as never), unknown);
  await t.throwsAsync(prefix.fork({ prmpt: 'x' } as never), unknown);
  await t.throwsAsync(model.prefill({ prmpt: 'x' } as never), unknown);
  await t.throwsAsync(prefix.classify({ q: { type: 'boolean', instructions: 'x' } }, { singal: 1 } as never), unknown);
});
