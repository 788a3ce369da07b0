import test from 'ava';
import { OptionError } from '../../lib/errors.js';
import { labelsOf, wordingOf } from '../../lib/questions/wording.js';

const choices = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`choice ${index}`, null]));

test('a boolean question is answered Yes or No', (t) => {
  t.deepEqual(labelsOf({ type: 'boolean', instructions: 'x' }), ['Yes', 'No']);
  t.is(
    wordingOf({ type: 'boolean', instructions: 'Is it polite?' }, 'q'),
    'Is it polite?\nReply with one word, Yes or No.',
  );
});

test('choices are lettered, with their meaning where there is one', (t) => {
  const text = wordingOf(
    { type: 'choice', instructions: 'Which colour?', choices: { red: 'like blood', blue: null } },
    'q',
  );
  t.is(text, 'Which colour?\n\nA: red (like blood)\nB: blue\n\nReply with nothing but the letter of your choice.');
});

test('levels are numbered from 0', (t) => {
  const text = wordingOf({ type: 'score', instructions: 'How good?', levels: ['bad', 'good'] }, 'q');
  t.is(text, 'How good?\n\n0: bad\n1: good\n\nReply with one digit, 0 to 1.');
});

test('26 choices take single letters', (t) => {
  const labels = labelsOf({ type: 'choice', instructions: 'x', choices: choices(26) });
  t.is(labels.join(''), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');
});

test('255 choices take two letters each, all different', (t) => {
  const labels = labelsOf({ type: 'choice', instructions: 'x', choices: choices(255) });
  t.deepEqual([labels[0], labels[26], labels[254]], ['AA', 'BA', 'JU']);
  t.is(new Set(labels).size, 255);
  t.true(labels.every((label) => label.length === 2));
});

test('a string template is filled in one pass, whatever the texts contain', (t) => {
  const text = wordingOf(
    {
      type: 'choice',
      instructions: 'Pay $& {labels}?',
      choices: { a: null, b: null },
      template: '{instructions} [{labels}]\n{options}',
    },
    'q',
  );
  t.is(text, 'Pay $& {labels}? [A, B]\nA: a\nB: b');
});

test('a function template gets instructions, options and labels', (t) => {
  const text = wordingOf(
    { type: 'score', instructions: 'How?', levels: ['x', 'y'], template: (parts) => JSON.stringify(parts) },
    'q',
  );
  t.deepEqual(JSON.parse(text), { instructions: 'How?', options: '0: x\n1: y', labels: ['0', '1'] });
});

test('a template must give a text', (t) => {
  for (const template of [() => '', () => 5 as never])
    t.throws(() => wordingOf({ type: 'boolean', instructions: 'x', template }, 'q'), {
      instanceOf: OptionError,
      message: /^q.template/,
    });
});
