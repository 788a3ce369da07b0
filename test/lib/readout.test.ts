import test from 'ava';
import { OptionError } from '../../lib/errors.js';
import type { ChoiceQuestion } from '../../lib/index.js';
import { readLabels } from '../../lib/questions/answer.js';
import { labelsOf, wordingOf } from '../../lib/questions/wording.js';
import type { LabelPlace } from '../support/fake-native.js';
import { openFake, pieces } from '../support/open-fake.js';

const colour: ChoiceQuestion = {
  type: 'choice',
  instructions: 'Which colour?',
  choices: { red: null, 'sky blue': 'as at noon' },
};
const content = { ...colour, readout: 'content' } as const;
const near = (a: number, b: number) => Math.abs(a - b) < 1e-12;
const logOf = (probabilities: Record<string, number>) => (place: LabelPlace) => Math.log(probabilities[place.label]);

test('read as content, a choice is answered in its own words', (t) => {
  t.deepEqual(labelsOf(content), ['red', 'sky blue']);
  t.is(
    wordingOf(content, 'q'),
    'Which colour?\n\n- red\n- sky blue (as at noon)\n\nReply with nothing but the words of your choice.',
  );
});

test('read as content, a score is answered by the words of its levels', (t) => {
  t.deepEqual(labelsOf({ type: 'score', instructions: 'x', levels: ['bad', 'good'], readout: 'content' }), [
    'bad',
    'good',
  ]);
});

test('labels of one’s own take the place of Yes and No, of letters and of digits', (t) => {
  const boolean = { type: 'boolean', instructions: 'Is it true?', labels: { yes: 'True', no: 'False' } } as const;
  t.deepEqual(labelsOf(boolean), ['True', 'False']);
  t.is(wordingOf(boolean, 'q'), 'Is it true?\nReply with True or False.');
  t.deepEqual(labelsOf({ ...colour, labels: { 'sky blue': 'B', red: 'R' } }), ['R', 'B']);
  t.deepEqual(labelsOf({ type: 'score', instructions: 'x', levels: ['a', 'b'], labels: ['low', 'high'] }), [
    'low',
    'high',
  ]);
});

test('content labels go down as the tokens of their words', async (t) => {
  const { native, model } = await openFake();
  await model.classify({ prompt: 'Text.' }, { content });
  t.deepEqual(
    native.submitted[0].questions[0].labels.map((label) => pieces(native, label)),
    [[' red'], [' sky', ' blue']],
  );
});

test('the mean is over the tokens of a label, the raw log-probabilities stay', (t) => {
  const answer = readLabels({ ...content, normalization: 'mean' }, [
    { logprob: -2, tokens: 1 },
    { logprob: -3, tokens: 3 },
  ]);
  if (answer.type !== 'choice') return t.fail();
  t.deepEqual(answer.logprobs, { red: -2, 'sky blue': -3 });
  t.deepEqual(answer.logits, { red: -2, 'sky blue': -1 });
  t.is(answer.choice, 'sky blue');
  t.true(near(answer.probabilities['sky blue'], Math.exp(-1) / (Math.exp(-1) + Math.exp(-2))));
});

test('what a label has without content is taken off it', (t) => {
  const labels = [
    { logprob: Math.log(0.6), tokens: 1 },
    { logprob: Math.log(0.3), tokens: 1 },
  ];
  const answer = readLabels({ ...colour, normalization: 'prior' }, labels, [Math.log(0.8), Math.log(0.1)]);
  if (answer.type !== 'choice') return t.fail();
  // 0.6 / 0.8 = 0.75 against 0.3 / 0.1 = 3.
  t.true(near(answer.probabilities['sky blue'], 3 / 3.75));
  t.true(near(answer.outside, 0.1));
});

test('entropy is in nats', (t) => {
  const answer = readLabels(colour, [
    { logprob: Math.log(0.3), tokens: 1 },
    { logprob: Math.log(0.3), tokens: 1 },
  ]);
  t.true(near(answer.entropy, Math.log(2)));
});

test('the prior is asked behind a text without content, once for many texts', async (t) => {
  const { native, model } = await openFake({ logprob: logOf({ ' A': 0.5, ' B': 0.25 }) });
  const question = { ...colour, normalization: 'prior' } as const;
  const { question: first } = await model.classify({ prompt: 'One.' }, { question });
  await model.classify({ prompt: 'Two.' }, { question });
  const prompts = native.submitted.map(({ prompt }) => native.detokenize(prompt, true));
  t.deepEqual(prompts, ['<s>N/A', '<s>One.', '<s>Two.']);
  t.deepEqual(native.submitted[0].questions, native.submitted[1].questions);
  // The scripted engine answers the same behind any text: nothing is left of the labels' difference.
  t.deepEqual(first.probabilities, { red: 0.5, 'sky blue': 0.5 });
});

test('in a conversation every message but the system’s loses its content', async (t) => {
  const { native, model } = await openFake();
  const messages = [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Hi' },
  ];
  await model.classify({ messages }, { q: { ...colour, normalization: 'prior', contentFree: 'nil' } });
  t.is(
    native.detokenize(native.submitted[0].prompt, true),
    '<s><|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nnil<|im_end|>\n<|im_start|>assistant\n',
  );
});

test('a prior that could not be asked is asked again', async (t) => {
  const { native, model } = await openFake({ errors: { 0: { code: 'ERR_CACHE_FULL', message: 'full' } } });
  const questions = { q: { ...colour, normalization: 'prior' } } as const;
  await t.throwsAsync(model.classify({ prompt: 'One.' }, questions), { code: 'ERR_CACHE_FULL' });
  await t.notThrowsAsync(model.classify({ prompt: 'One.' }, questions));
  t.is(native.submitted.length, 3);
});

test('a turn’s prior is asked behind an answer without content', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ messages: [{ role: 'user', content: 'Hi' }] });
  await prefix
    .winnow({
      candidates: 1,
      attributes: { q: { ...colour, normalization: 'prior' } },
      keep: () => true,
      rank: () => 1,
    })
    .result();
  t.is(
    native.detokenize(native.submitted[1].prompt, true),
    '<s><|im_start|>user\nN/A<|im_end|>\n<|im_start|>assistant\nN/A',
  );
});

const refusals: [string, object, RegExp][] = [
  ['a readout that does not exist', { ...colour, readout: 'letters' }, /^questions.q.readout must be one of 'coded'/],
  [
    'a readout of a boolean',
    { type: 'boolean', instructions: 'x', readout: 'content' },
    /Unknown option questions.q.r/,
  ],
  ['labels that miss a choice', { ...colour, labels: { red: 'R' } }, /^questions.q.labels.sky blue must be/],
  ['labels of no choice', { ...colour, labels: { red: 'R', 'sky blue': 'B', green: 'G' } }, /labels.green/],
  [
    'too few labels of levels',
    { type: 'score', instructions: 'x', levels: ['a', 'b'], labels: ['a'] },
    /one per level/,
  ],
  ['an unknown normalization', { ...colour, normalization: 'max' }, /^questions.q.normalization must be one of 'sum'/],
  ['a content-free text for nothing', { ...colour, contentFree: '' }, /contentFree must be a non-empty string/],
  ['a content-free text without prior', { ...colour, contentFree: 'N/A' }, /contentFree must be left out unless/],
  ['a calibration without its figures', { ...colour, calibration: { method: 'temperature' } }, /temperature must be/],
  [
    'Platt’s method for three labels',
    {
      ...colour,
      choices: { a: null, b: null, c: null },
      calibration: { method: 'platt', slope: 1, intercept: 0 },
    },
    /of method 'temperature' for 3 labels/,
  ],
  ['an empty name as content', { ...content, choices: { '': null, b: null } }, /must be a non-empty string/],
];
for (const [name, question, message] of refusals)
  test(`refused: ${name}`, async (t) => {
    const { model } = await openFake();
    await t.throwsAsync(model.classify({ prompt: 'x' }, { q: question as never }), {
      instanceOf: OptionError,
      message,
    });
  });
