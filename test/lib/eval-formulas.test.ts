import test from 'ava';
import fc from 'fast-check';
import {
  argmax,
  bitsPerByte,
  bytePerplexity,
  characters,
  countWords,
  isFirst,
  majority,
  share,
  trueMass,
  wordPerplexity,
} from '../../lib/eval/formulas.js';
import { bootstrapInterval, exactInterval } from '../../lib/eval/intervals.js';
import { mean, proportion, statistic } from '../../lib/eval/metrics.js';
import { parseAnswer } from '../../lib/eval/tasks/gsm8k.js';

const near = (actual: number, expected: number) => Math.abs(actual - expected) < 5e-5;

test('MC1 takes the likeliest choice, and a tie against the true one', (t) => {
  t.true(isFirst(-3, [-3.1, -4]));
  t.false(isFirst(-3, [-3, -4]));
  t.is(argmax([-3, -1, -1]), 1);
});

test('MC2 is the share of probability on the true choices', (t) => {
  // e^-1 + e^-2 = 0.50321; e^-1 + e^-3 = 0.41767; 0.50321 ÷ 0.92088.
  t.true(near(trueMass([-1, -2], [-1, -3]), 0.54645));
  t.is(trueMass([-1000], [-1000]), 0.5, 'what exp() makes 0');
  t.true(near(share(Math.log(0.3), Math.log(0.1)), 0.75));
});

test('perplexities are those of the original text’s words and bytes', (t) => {
  const text = { logprob: -6 * Math.LN2, words: 3, bytes: 12 };
  t.true(near(wordPerplexity(text), 4));
  t.true(near(bytePerplexity(text), Math.SQRT2));
  t.true(near(bitsPerByte(text), 0.5));
  t.is(countWords('one two\n three'), 3);
  t.is(countWords(' one '), 3, 're.split(r"\\s+", " one ") has three parts');
  t.is(characters('a😀é'), 3);
});

test('self-consistency takes the answer of most samples, of equals the first', (t) => {
  t.is(majority(['5', '7', '7', null]), '7');
  t.is(majority(['5', '7']), '5');
  t.is(majority([null, null]), null);
});

test('answers are read from what models write', (t) => {
  const cases: [string, string | null][] = [
    ['3 + 4 = 7. The answer is 7.', '7'],
    ['So the answer is $1,250.00, not 3.', '1250'],
    ['#### 1,250', '1250'],
    ['She has 18-5 = 13 eggs', '13'],
    ['The temperature is -4', '-4'],
    ['The answer is unknown, perhaps 12', '12'],
    ['It costs 2.50 dollars', '2.5'],
    ['nobody knows', null],
  ];
  for (const [text, expected] of cases) t.is(parseAnswer(text), expected, text);
});

test('exact intervals are those of Clopper and Pearson', (t) => {
  // R: binom.test(5, 10), (8, 10), (0, 10), (10, 10), (100, 409).
  const cases: [number, number, number, number][] = [
    [5, 10, 0.1870861, 0.8129139],
    [8, 10, 0.4439045, 0.9747893],
    [0, 10, 0, 0.3084971],
    [10, 10, 0.6915029, 1],
  ];
  for (const [hits, count, low, high] of cases) {
    const interval = exactInterval(hits, count);
    t.true(near(interval.low, low) && near(interval.high, high), JSON.stringify(interval));
  }
});

test('an exact interval holds the proportion, and narrows with more items', (t) => {
  const counts = fc
    .integer({ min: 1, max: 500 })
    .chain((count) => fc.tuple(fc.integer({ min: 0, max: count }), fc.constant(count)));
  fc.assert(
    fc.property(counts, ([hits, count]) => {
      const [some, more] = [exactInterval(hits, count), exactInterval(4 * hits, 4 * count)];
      const holds = some.low <= hits / count && hits / count <= some.high;
      return holds && more.high - more.low < some.high - some.low;
    }),
  );
  t.pass();
});

test('a bootstrap interval is the same for the same seed, and about as wide as theory says', (t) => {
  const values = Array.from({ length: 400 }, (_, index) => (index % 10) / 10);
  const average = (rows: readonly number[]) => rows.reduce((sum, value) => sum + value, 0) / rows.length;
  const interval = bootstrapInterval(values, average, 1)!;
  t.deepEqual(interval, bootstrapInterval(values, average, 1));
  t.notDeepEqual(interval, bootstrapInterval(values, average, 2));
  const width = 2 * 1.96 * (Math.sqrt(0.0825) / Math.sqrt(400)); // Of a normal distribution of this variance.
  t.true(Math.abs(interval.high - interval.low - width) < 0.15 * width);
  t.true(interval.low < 0.45 && 0.45 < interval.high);
  t.is(bootstrapInterval([1], average, 1), null);
});

test('rows that a metric is not about are not counted; no row gives no value', (t) => {
  const isEven = proportion<number>((value) => (value < 0 ? undefined : value % 2 === 0));
  t.like(isEven([2, 4, 5, -1], 0), { value: 2 / 3, count: 3, interval: 'exact' });
  t.deepEqual(isEven([-1], 0), { value: null, low: null, high: null, count: 0, interval: 'exact' });
  t.like(mean<number>((value) => value)([1, 3], 0), { value: 2, count: 2, interval: 'bootstrap' });
  t.like(statistic<number>(() => NaN)([1, 2], 0), { value: null, low: null, high: null });
});
