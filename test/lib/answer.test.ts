import fc from 'fast-check';
import test from 'ava';
import type { Question } from '../../lib/index.js';
import { readAnswer, softmax } from '../../lib/questions/answer.js';

const boolean: Question = { type: 'boolean', instructions: 'x' };
const choice: Question = { type: 'choice', instructions: 'x', choices: { red: null, green: null, blue: null } };
const score: Question = { type: 'score', instructions: 'x', levels: ['low', 'middle', 'high'] };

const logs = (...probabilities: number[]) => probabilities.map(Math.log);

function near(a: number, b: number, tolerance = 1e-12): boolean {
  return Math.abs(a - b) < tolerance;
}

test('a boolean answer is P(yes) over yes and no, with the mass outside', (t) => {
  const answer = readAnswer(boolean, logs(0.3, 0.1));
  t.is(answer.type, 'boolean');
  if (answer.type !== 'boolean') return;
  t.true(near(answer.probability, 0.75));
  t.true(near(answer.outside, 0.6));
  t.deepEqual(answer.logprobs, { yes: Math.log(0.3), no: Math.log(0.1) });
});

test('a choice is the likeliest key, with probabilities by key', (t) => {
  const answer = readAnswer(choice, logs(0.1, 0.6, 0.1));
  t.is(answer.type, 'choice');
  if (answer.type !== 'choice') return;
  t.is(answer.choice, 'green');
  t.deepEqual(Object.keys(answer.probabilities), ['red', 'green', 'blue']);
  t.true(near(answer.probabilities['green'], 0.75));
});

test('of equally likely choices the first is chosen', (t) => {
  t.like(readAnswer(choice, logs(0.2, 0.2, 0.2)), { choice: 'red' });
});

test('a score is the mean level', (t) => {
  const answer = readAnswer(score, logs(0.1, 0.2, 0.1));
  t.is(answer.type, 'score');
  if (answer.type !== 'score') return;
  t.true(near(answer.score, 1));
  t.true(near(answer.probabilities[1], 0.5));
  t.is(answer.logprobs.length, 3);
});

test('labels answer by their keys', (t) => {
  const question: Question = { type: 'labels', suffix: ' SENSIBLE', labels: { yes: ' 1', no: ' 0' } };
  t.like(readAnswer(question, logs(0.02, 0.06)), { type: 'labels', label: 'no' });
});

test('confidence is 0 where labels are equally likely and 1 where one has everything', (t) => {
  t.is(readAnswer(choice, logs(0.2, 0.2, 0.2)).confidence, 0);
  t.is(readAnswer(choice, [0, -Infinity, -Infinity]).confidence, 1);
});

test('confidence is 1 − entropy ÷ log(labels)', (t) => {
  const entropy = -(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25));
  t.true(near(readAnswer(boolean, logs(0.3, 0.1)).confidence, 1 - entropy / Math.log(2)));
});

test('a single label has all of the renormalised mass', (t) => {
  const question: Question = { type: 'labels', suffix: '', labels: { only: 'x' } };
  t.like(readAnswer(question, logs(0.25)), { label: 'only', probabilities: { only: 1 }, confidence: 1, outside: 0.75 });
});

test('the mass outside is never negative, though rounding may make labels sum to more than 1', (t) => {
  t.is(readAnswer(boolean, [Math.log(0.5), Math.log(0.5000001)]).outside, 0);
});

test('labels without any mass are equally likely', (t) => {
  t.deepEqual(softmax([-Infinity, -Infinity]), [0.5, 0.5]);
});

test('very small log-probabilities keep their ratio', (t) => {
  const [a, b] = softmax([-2000, -2000 + Math.log(3)]);
  t.true(near(a, 0.25) && near(b, 0.75));
});

test('probabilities sum to 1 and keep the order of their log-probabilities', (t) => {
  const logprob = fc.double({ min: -1000, max: 0, noNaN: true });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(logprob, { minLength: 1, maxLength: 255 }), (logprobs) => {
        const probabilities = softmax(logprobs);
        const total = probabilities.reduce((sum, probability) => sum + probability, 0);
        const isOrdered = logprobs.every(
          (value, index) =>
            index === 0 || value < logprobs[index - 1] || probabilities[index] >= probabilities[index - 1],
        );
        return Math.abs(total - 1) < 1e-9 && isOrdered;
      }),
    ),
  );
});
