import test from 'ava';
import { OptionError } from '../../lib/errors.js';
import type { Question, Questions } from '../../lib/index.js';
import { resolveContinuations, resolveQuestions } from '../../lib/options.js';

const vocabularySize = 100;

function resolve(question: unknown) {
  return resolveQuestions({ q: question } as Questions, vocabularySize);
}

test('checked questions keep the order of their keys', (t) => {
  const questions = resolveQuestions(
    { b: { type: 'boolean', instructions: 'B?' }, a: { type: 'score', instructions: 'A?', levels: ['low', 'high'] } },
    vocabularySize,
  );
  t.deepEqual(JSON.parse(JSON.stringify(questions)), [
    ['b', { type: 'boolean', instructions: 'B?' }],
    ['a', { type: 'score', instructions: 'A?', levels: ['low', 'high'] }],
  ]);
});

test('texts are made well formed', (t) => {
  const [[, question]] = resolve({ type: 'choice', instructions: '\uD800', choices: { a: '\uDC00', b: null } }) as [
    [string, unknown],
  ];
  t.like(question, { instructions: '\uFFFD', choices: { a: '\uFFFD', b: null } });
});

test('a choice named __proto__ is a choice like any other', (t) => {
  const choices = JSON.parse('{"__proto__": null, "b": null}') as Record<string, null>;
  const [[, question]] = resolve({ type: 'choice', instructions: 'x', choices }) as [[string, Question]];
  t.deepEqual(Object.keys(question.type === 'choice' ? question.choices : {}), ['__proto__', 'b']);
});

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, null]));
const texts = (count: number) => Array.from({ length: count }, (_, index) => `level ${index}`);

const wrong: [string, unknown, RegExp][] = [
  ['no object', 'Is it?', /^questions.q must be an object/],
  ['no type', { instructions: 'x' }, /^questions.q.type must be one of/],
  ['unknown type', { type: 'bool', instructions: 'x' }, /'boolean', 'choice', 'score', 'labels', got "bool"/],
  ['no instructions', { type: 'boolean' }, /^questions.q.instructions must be a non-empty string/],
  ['empty instructions', { type: 'boolean', instructions: '' }, /non-empty/],
  ['template of a wrong type', { type: 'boolean', instructions: 'x', template: 3 }, /^questions.q.template must be/],
  ['one choice', { type: 'choice', instructions: 'x', choices: many(1) }, /2 to 255 choices, got 1/],
  ['256 choices', { type: 'choice', instructions: 'x', choices: many(256) }, /2 to 255 choices, got 256/],
  ['an array of choices', { type: 'choice', instructions: 'x', choices: ['a', 'b'] }, /must be an object/],
  [
    'a choice of a wrong type',
    { type: 'choice', instructions: 'x', choices: { a: 1, b: null } },
    /choices.a must be a string or null/,
  ],
  ['one level', { type: 'score', instructions: 'x', levels: texts(1) }, /2 to 10 levels/],
  ['11 levels', { type: 'score', instructions: 'x', levels: texts(11) }, /2 to 10 levels/],
  ['no labels', { type: 'labels', suffix: '', labels: {} }, /1 to 255 labels, got 0/],
  ['an empty label', { type: 'labels', suffix: '', labels: { a: '' } }, /labels.a must be a non-empty string/],
  ['a label of no tokens', { type: 'labels', suffix: '', labels: { a: [] } }, /at least one token/],
  [
    'a label out of the vocabulary',
    { type: 'labels', suffix: '', labels: { a: [100] } },
    /labels.a\[0\] must be an integer from 0 to 99/,
  ],
  ['a suffix of a wrong type', { type: 'labels', suffix: null, labels: { a: 'x' } }, /suffix must be/],
];

for (const [name, question, message] of wrong)
  test(`a question is refused: ${name}`, (t) => {
    t.throws(() => resolve(question), { instanceOf: OptionError, code: 'ERR_OPTION_VALUE', message });
  });

test('an unknown field of a question is told with its path and the nearest name', (t) => {
  t.throws(() => resolve({ type: 'choice', instructions: 'x', choice: {} }), {
    code: 'ERR_OPTION_UNKNOWN',
    message: 'Unknown option questions.q.choice. Did you mean choices?',
  });
});

test('a field of another type of question is unknown', (t) => {
  t.throws(() => resolve({ type: 'boolean', instructions: 'x', levels: texts(3) }), { code: 'ERR_OPTION_UNKNOWN' });
});

test('1 to 400 questions can be asked', (t) => {
  const questions = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`q${index}`, { type: 'boolean', instructions: 'x' } as const]),
    );
  t.is(resolveQuestions(questions(400), vocabularySize).length, 400);
  for (const count of [0, 401])
    t.throws(() => resolveQuestions(questions(count), vocabularySize), { message: /1 to 400 questions/ });
});

test('continuations are non-empty texts', (t) => {
  t.deepEqual(resolveContinuations([' a', '\uD800']), [' a', '\uFFFD']);
  for (const value of [[], [''], [1], ' a', undefined])
    t.throws(() => resolveContinuations(value), { code: 'ERR_OPTION_VALUE', message: /^continuations/ });
});
