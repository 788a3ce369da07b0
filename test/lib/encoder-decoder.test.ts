import test from 'ava';
import { openFake } from '../support/open-fake.js';

const info = { decoderStart: 0, maxStepTokens: 8, contextSize: 16, architecture: 't5' };

test('the prompt of an encoder–decoder model takes no room from the answer', async (t) => {
  const { native, model } = await openFake({ info });
  t.true(model.info.capabilities.encoderDecoder);
  await model.generate({ prompt: [5, 6, 7], maxTokens: 100 }).result();
  t.is(native.submitted[0].maxTokens, 15);
});

test('a prompt must fit into one step of the encoder', async (t) => {
  const { model } = await openFake({ info });
  const long = Array.from({ length: 9 }, () => 5);
  await t.throwsAsync(model.generate({ prompt: long }).result(), { code: 'ERR_CONTEXT_OVERFLOW' });
});

test('a continuation is tokenised by itself: nothing precedes it in the decoder', async (t) => {
  const { native, model } = await openFake({ info });
  await model.logLikelihood({ prompt: 'ab' }, ['cd']);
  const [{ prompt, questions }] = native.submitted;
  t.is(native.detokenize(prompt, true), '<s>ab');
  t.is(native.detokenize(questions[0].labels[0], true), 'cd');
});

test('what goes on behind the text itself is refused', async (t) => {
  const { model } = await openFake({ info });
  const refused = { code: 'ERR_UNSUPPORTED', message: /the answer begins anew/ };
  await t.throwsAsync(model.prefill({ prompt: 'a' }), refused);
  await t.throwsAsync(model.perplexity('a'), refused);
  await t.throwsAsync(model.promptLogprobs({ prompt: 'a' }), refused);
});
