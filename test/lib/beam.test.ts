import test from 'ava';
import { OptionError } from '../../lib/errors.js';
import type { BeamOptions } from '../../lib/options.js';
import { openFake } from '../support/open-fake.js';

const answer = (candidate: number) => ({ pieces: ['A', ' b', ' c'].slice(0, candidate + 1) });

test('a beam search is one request whose candidates are its beams', async (t) => {
  const { native, model } = await openFake({ answer });
  await model.beam({ prompt: 'x', beams: 3, minTokens: 2, maxTokens: 20, noRepeatNgram: 3, lengthPenalty: 0.5 });
  t.like(native.submitted[0], {
    candidates: 3,
    minTokens: 2,
    maxTokens: 20,
    questions: [],
    beam: { lengthPenalty: 0.5, earlyStopping: true },
  });
  t.deepEqual([...native.submitted[0].decoding!.ngramSizes], [3]);
});

test('ten beams and the mean log-probability are the defaults', async (t) => {
  const { native, model } = await openFake({ answer: () => ({ pieces: ['A'] }) });
  await model.beam({ prompt: 'x' });
  t.like(native.submitted[0], { candidates: 10, beam: { lengthPenalty: 1, earlyStopping: true } });
});

test('hypotheses have their log-probabilities, the sum and the score', async (t) => {
  const { model } = await openFake({ answer });
  const prefix = await model.prefill({ prompt: 'x' });
  const { text, hypotheses, usage } = await prefix.beam({ beams: 2, lengthPenalty: 2 });
  t.is(text, 'A');
  t.deepEqual(
    hypotheses.map(({ text, tokens, logprob, score, reason }) => ({ text, tokens, logprob, score, reason })),
    [
      { text: 'A', tokens: 2, logprob: -1, score: -1 / 4, reason: 'eos' },
      { text: 'A b', tokens: 3, logprob: -1.5, score: -1.5 / 9, reason: 'eos' },
    ],
  );
  t.is(usage.generatedTokens, 5);
});

test('models whose sequences can’t be forked refuse', async (t) => {
  const { model } = await openFake({ info: { canFork: false } });
  await t.throwsAsync(model.beam({ prompt: 'x' }), { code: 'ERR_UNSUPPORTED' });
});

test('a signal ends the search with its reason', async (t) => {
  const { model } = await openFake({ manual: true });
  const controller = new AbortController();
  const search = model.beam({ prompt: 'x', signal: controller.signal });
  controller.abort(new Error('no time'));
  await t.throwsAsync(search, { message: 'no time' });
});

const wrong: [string, unknown][] = [
  ['beams', 0],
  ['beams', 65],
  ['lengthPenalty', 11],
  ['lengthPenalty', NaN],
  ['earlyStopping', 'yes'],
  ['noRepeatNgram', -1],
  ['temperature', 1],
  ['schema', {}],
];

for (const [option, value] of wrong) {
  test(`${option} is refused for ${String(value)}`, async (t) => {
    const { model } = await openFake({ answer });
    const options = { prompt: 'x', [option]: value } as unknown as BeamOptions;
    const error = await t.throwsAsync(model.beam(options), { instanceOf: OptionError });
    t.is(error.option, option);
  });
}
