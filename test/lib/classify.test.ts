import test from 'ava';
import { ContextOverflowError, OptionError, TemplateError } from '../../lib/errors.js';
import type { LabelPlace } from '../support/fake-native.js';
import { openFake, pieces } from '../support/open-fake.js';

const conversation = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
];
const polite = { type: 'boolean', instructions: 'Is it polite?' } as const;

const logOf = (probabilities: Record<string, number>) => (place: LabelPlace) => Math.log(probabilities[place.label]);

test('all questions go down in one request that draws nothing and pins nothing', async (t) => {
  const { native, model } = await openFake();
  await model.classify({ messages: conversation }, { polite, long: { ...polite, instructions: 'Is it long?' } });
  t.is(native.submitted.length, 1);
  t.like(native.submitted[0], { candidates: 0, pin: false, parent: 0 });
  t.is(native.submitted[0].questions.length, 2);
});

test('behind a finished answer, the question is the next turn of the conversation', async (t) => {
  const { native, model } = await openFake();
  await model.classify({ messages: conversation }, { polite });
  const { prompt, questions } = native.submitted[0];
  t.is(native.detokenize(prompt, true), '<s><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n');
  t.is(
    native.detokenize(questions[0].suffix, true),
    '<|im_start|>user\nIs it polite?\nReply with one word, Yes or No.<|im_end|>\n<|im_start|>assistant\n',
  );
  t.deepEqual(
    questions[0].labels.map((label) => pieces(native, label)),
    [['Yes'], ['No']],
  );
});

test('where the assistant was about to speak, the question follows an empty answer', async (t) => {
  const { native, model } = await openFake();
  await model.classify({ messages: [{ role: 'user', content: 'Hi' }] }, { polite });
  const suffix = native.detokenize(native.submitted[0].questions[0].suffix, true);
  t.true(suffix.startsWith('<|im_end|>\n<|im_start|>user\nIs it polite?'));
});

test('without the beginning of an answer, the question follows the user’s message', async (t) => {
  const { native, model } = await openFake();
  await model.classify({ messages: [{ role: 'user', content: 'Hi' }], addGenerationPrompt: false }, { polite });
  const { prompt, questions } = native.submitted[0];
  t.true(native.detokenize(prompt, true).endsWith('Hi<|im_end|>\n'));
  t.true(native.detokenize(questions[0].suffix, true).startsWith('<|im_start|>user\nIs it polite?'));
});

test('behind raw text the question is asked in plain words', async (t) => {
  const { native, model } = await openFake();
  await model.classify({ prompt: 'Some text.' }, { polite });
  const { suffix, labels } = native.submitted[0].questions[0];
  t.is(native.detokenize(suffix, true), '\n\nQuestion: Is it polite?\nReply with one word, Yes or No.\nAnswer:');
  t.deepEqual(
    labels.map((label) => pieces(native, label)),
    [[' Yes'], [' No']],
  );
});

test('suffix and labels are tokenised together: what merges belongs to the label', async (t) => {
  const { native, model } = await openFake();
  const merged = { type: 'labels', suffix: ' foo', labels: { bar: 'bar', dot: '.' } } as const;
  await model.classify({ prompt: 'x' }, { merged });
  const { suffix, labels } = native.submitted[0].questions[0];
  t.deepEqual(pieces(native, suffix), []);
  t.deepEqual(
    labels.map((label) => pieces(native, label)),
    [[' foobar'], [' foo', '.']],
  );
});

test('spaces at the end of a suffix move to its labels', async (t) => {
  const { native, model } = await openFake();
  await model.classify(
    { prompt: 'x' },
    { q: { type: 'labels', suffix: 'Answer: ', labels: { yes: 'Yes', no: 'No' } } },
  );
  const { suffix, labels } = native.submitted[0].questions[0];
  t.deepEqual(pieces(native, suffix), ['Answer', ':']);
  t.deepEqual(
    labels.map((label) => pieces(native, label)),
    [[' Yes'], [' No']],
  );
});

test('what labels have in common stays in the labels', async (t) => {
  const { native, model } = await openFake();
  await model.classify({ prompt: 'x' }, { q: { type: 'labels', suffix: ':', labels: { a: ' 1 2', b: ' 1 3' } } });
  const { suffix, labels } = native.submitted[0].questions[0];
  t.deepEqual(pieces(native, suffix), [':']);
  t.deepEqual(
    labels.map((label) => pieces(native, label)),
    [
      [' 1', ' 2'],
      [' 1', ' 3'],
    ],
  );
});

test('suffix and labels of token ids are appended as they are', async (t) => {
  const { native, model } = await openFake();
  await model.classify(
    { prompt: 'x' },
    { q: { type: 'labels', suffix: [7, 8], labels: { a: [9], b: Int32Array.of(10, 11) } } },
  );
  const { suffix, labels } = native.submitted[0].questions[0];
  t.deepEqual([...suffix], [7, 8]);
  t.deepEqual(
    labels.map((label) => [...label]),
    [[9], [10, 11]],
  );
});

test('labels that are the same tokens are refused', async (t) => {
  const { model } = await openFake();
  const same = { type: 'labels', suffix: [7], labels: { a: [9], b: [9] } } as const;
  await t.throwsAsync(model.classify({ prompt: 'x' }, { same }), {
    instanceOf: OptionError,
    message: /labels of same must differ/,
  });
});

test('255 choices have different labels', async (t) => {
  const { native, model } = await openFake({ info: { contextSize: 4096 } });
  const choices = Object.fromEntries(Array.from({ length: 255 }, (_, index) => [`c${index}`, null]));
  await model.classify({ messages: conversation }, { q: { type: 'choice', instructions: 'Which?', choices } });
  t.is(native.submitted[0].questions[0].labels.length, 255);
});

test('answers carry the names and keys of their questions', async (t) => {
  const logprob = logOf({ Yes: 0.3, No: 0.1, A: 0.2, B: 0.6, '0': 0.1, '1': 0.1, '2': 0.2, ' 1': 0.4, ' 0': 0.1 });
  const { model } = await openFake({ logprob });
  const answers = await model.classify(
    { messages: conversation },
    {
      polite,
      colour: { type: 'choice', instructions: 'Which colour?', choices: { red: null, blue: 'as the sky' } },
      length: { type: 'score', instructions: 'How long?', levels: ['short', 'middle', 'long'] },
      raw: { type: 'labels', suffix: ' SENSIBLE', labels: { yes: ' 1', no: ' 0' } },
    },
  );
  t.deepEqual(Object.keys(answers), ['polite', 'colour', 'length', 'raw']);
  t.true(Math.abs(answers.polite.probability - 0.75) < 1e-12);
  t.is(answers.colour.choice, 'blue');
  t.true(Math.abs(answers.length.score - 1.25) < 1e-12);
  t.is(answers.raw.label, 'yes');
});

test('instructions may contain what the marks of the template look like', async (t) => {
  const { native, model } = await openFake();
  const messages = [
    ...conversation,
    { role: 'user', content: 'winnowanswermark winnowquestionmark' },
    { role: 'assistant', content: 'ok' },
  ];
  await model.classify({ messages }, { q: { type: 'boolean', instructions: 'winnowanswermark?' } });
  const suffix = native.detokenize(native.submitted[0].questions[0].suffix, true);
  t.true(suffix.startsWith('<|im_start|>user\nwinnowanswermark?'));
});

test('a template that refuses the question’s turn is a template error', async (t) => {
  const chatTemplate =
    "{% if messages | length > 2 %}{{ raise_exception('too many turns') }}{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}";
  const { model } = await openFake({ info: { chatTemplate } });
  await t.throwsAsync(model.classify({ messages: conversation }, { polite }), {
    instanceOf: TemplateError,
    message: /too many turns/,
  });
});

test('a template that hides the question is a template error', async (t) => {
  const { model } = await openFake({ info: { chatTemplate: '{{ messages[0].content }}' } });
  await t.throwsAsync(model.classify({ messages: conversation }, { polite }), { code: 'ERR_TEMPLATE_NOT_EXTENDED' });
});

test('raw questions behind messages need no turn of the template', async (t) => {
  const { native, model } = await openFake({ info: { chatTemplate: '{{ messages[0].content }}' } });
  await model.classify({ messages: conversation }, { q: { type: 'labels', suffix: '', labels: { a: ' a', b: ' b' } } });
  t.is(native.submitted.length, 1);
});

test('a question that does not fit behind the prompt is an overflow', async (t) => {
  const { model } = await openFake({ info: { contextSize: 10 } });
  const q = { type: 'labels', suffix: [5, 6, 7, 8], labels: { a: [9, 10], b: [11] } } as const;
  t.is((await model.classify({ prompt: [1, 2, 3, 4, 5] }, { q })).q.type, 'labels');
  const error = await t.throwsAsync(model.classify({ prompt: [1, 2, 3, 4, 5, 6] }, { q }), {
    instanceOf: ContextOverflowError,
  });
  t.like(error, { promptTokens: 11, contextSize: 10 });
});

test('a signal ends a classification with its reason', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const controller = new AbortController();
  const answering = model.classify({ prompt: 'x', signal: controller.signal }, { polite });
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort(new Error('enough'));
  await t.throwsAsync(answering, { message: 'enough' });
  t.deepEqual(native.cancelled, [1]);
});
