import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { Example } from '../../lib/calibration/fit.js';
import { fitPlatt, fitTemperature } from '../../lib/calibration/fit.js';
import { OptionError } from '../../lib/errors.js';
import {
  areaUnderCurve,
  brierScore,
  expectedCalibrationError,
  fitCalibration,
  formatReliability,
  loadCalibration,
  reliabilityTable,
  saveCalibration,
} from '../../lib/index.js';
import { readAnswer } from '../../lib/questions/answer.js';
import { openFake } from '../support/open-fake.js';

const folder = mkdtempSync(path.join(tmpdir(), 'winnow-calibration-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const near = (a: number, b: number, tolerance = 1e-9) => Math.abs(a - b) < tolerance;
/** `right` of `count` examples of log-odds x have the first label. */
const group = (x: number, count: number, right: number): Example[] =>
  Array.from({ length: count }, (_, index) => ({ logits: [x, 0], label: index < right ? 0 : 1 }));
const predictions = [
  { probability: 0.1, outcome: false },
  { probability: 0.4, outcome: true },
  { probability: 0.4, outcome: false },
  { probability: 0.9, outcome: true },
];

test('the temperature makes the mean probability the frequency', (t) => {
  // Three of four are right at log-odds 4: 1 / (1 + exp(-4 / T)) = 0.75, T = 4 / log 3.
  const { temperature } = fitTemperature(group(4, 4, 3));
  t.true(near(temperature, 4 / Math.log(3)));
});

test('where every example is right the temperature stops at its bound', (t) => {
  t.true(near(fitTemperature(group(2, 5, 5)).temperature, 0.01));
  t.true(near(fitTemperature(group(2, 5, 0)).temperature, 100));
});

test('a temperature of several labels minimises the log loss', (t) => {
  const examples: Example[] = [
    { logits: [3, 1, 0], label: 0 },
    { logits: [3, 1, 0], label: 1 },
    { logits: [0, 2, 1], label: 1 },
    { logits: [1, 0, 5], label: 0 },
  ];
  const loss = (temperature: number) =>
    examples.reduce((sum, { logits, label }) => {
      const total = logits.reduce((weight, z) => weight + Math.exp(z / temperature), 0);
      return sum + Math.log(total) - logits[label] / temperature;
    }, 0);
  const { temperature } = fitTemperature(examples);
  t.true(loss(temperature) < loss(temperature * 1.01) && loss(temperature) < loss(temperature / 1.01));
});

test('Platt’s line goes through the smoothed frequencies of two groups', (t) => {
  // 100 events and 100 others: targets 101/102 and 1/102. In each group the line meets their mean.
  const { slope, intercept } = fitPlatt([...group(1, 100, 80), ...group(-1, 100, 20)]);
  const target = (events: number) => (events * (101 / 102) + (100 - events) * (1 / 102)) / 100;
  const logit = (p: number) => Math.log(p / (1 - p));
  t.true(near(slope + intercept, logit(target(80))));
  t.true(near(-slope + intercept, logit(target(20))));
});

test('Platt’s intercept takes off what the model prefers whatever the text', (t) => {
  const { slope, intercept } = fitPlatt([...group(5, 50, 40), ...group(3, 50, 10)]);
  t.true(near(4 * slope + intercept, 0, 1e-6)); // Undecided half way between.
});

test('examples of equal log-odds fit the frequency, and separated ones stay finite', (t) => {
  const same = fitPlatt(group(0, 4, 3));
  t.true(near(1 / (1 + Math.exp(-same.intercept)), (3 * 0.8 + 1 / 3) / 4, 1e-6));
  const apart = fitPlatt([...group(1, 10, 10), ...group(-1, 10, 0)]);
  t.true(Number.isFinite(apart.slope) && apart.slope > 0);
});

test('impossible labels do not spoil the fit', (t) => {
  const { temperature } = fitTemperature([...group(4, 4, 3), { logits: [0, -Infinity], label: 0 }]);
  t.true(near(temperature, 4 / Math.log(3)));
});

test('a calibration changes probabilities and keeps log-probabilities', (t) => {
  const question = { type: 'boolean', instructions: 'x' } as const;
  const logprobs = [Math.log(0.6), Math.log(0.2)];
  const warm = readAnswer({ ...question, calibration: { method: 'temperature', temperature: 2 } }, logprobs);
  const moved = readAnswer({ ...question, calibration: { method: 'platt', slope: 0, intercept: 1 } }, logprobs);
  if (warm.type !== 'boolean' || moved.type !== 'boolean') return t.fail();
  t.true(near(warm.probability, Math.sqrt(3) / (1 + Math.sqrt(3))));
  t.true(near(moved.probability, 1 / (1 + Math.exp(-1))));
  t.deepEqual(moved.logprobs, { yes: logprobs[0], no: logprobs[1] });
});

test('two impossible labels are undecided under Platt’s method', (t) => {
  const question = { type: 'boolean', instructions: 'x' } as const;
  const calibration = { method: 'platt', slope: 2, intercept: 0 } as const;
  t.like(readAnswer({ ...question, calibration }, [-Infinity, -Infinity]), { probability: 0.5 });
});

test('the Brier score is the mean squared difference', (t) => {
  t.true(near(brierScore(predictions), (0.01 + 0.36 + 0.16 + 0.01) / 4));
});

test('the reliability table counts in bins of equal width, 1 in the last', (t) => {
  const table = reliabilityTable([...predictions, { probability: 1, outcome: true }], 2);
  t.deepEqual(
    table.map(({ from, to, count, frequency }) => [from, to, count, frequency]),
    [
      [0, 0.5, 3, 1 / 3],
      [0.5, 1, 2, 1],
    ],
  );
  t.true(near(table[0].meanProbability!, 0.3) && near(table[1].meanProbability!, 0.95));
});

test('an empty bin has no frequency', (t) => {
  const [first] = reliabilityTable([{ probability: 0.9, outcome: true }], 2);
  t.like(first, { count: 0, meanProbability: null, frequency: null });
});

test('the calibration error weighs the gaps by the bins’ shares', (t) => {
  // Bin 1: mean 0.3, frequency 1/3, three of four; bin 2: mean 0.9, frequency 1.
  t.true(near(expectedCalibrationError(predictions, 2), (3 / 4) * (1 / 3 - 0.3) + (1 / 4) * 0.1));
});

test('the area under the curve counts pairs, equal ones half', (t) => {
  // Of 2 × 2 pairs: 0.4 > 0.1, 0.4 = 0.4, 0.9 > both.
  t.is(areaUnderCurve(predictions), 3.5 / 4);
  t.is(areaUnderCurve([{ probability: 0.5, outcome: true }]), NaN);
});

test('the table as text shows count, mean, frequency and a bar', (t) => {
  const lines = formatReliability(reliabilityTable(predictions, 2)).split('\n');
  t.is(lines[1], '0.00–0.50       3  0.300  0.333  ======|');
  t.is(lines.length, 3);
});

test('predictions that are none are refused', (t) => {
  for (const wrong of [[], [{ probability: 1.5, outcome: true }], [{ probability: NaN, outcome: true }]])
    t.throws(() => brierScore(wrong), { instanceOf: OptionError });
});

test('a calibration is the same after a file', async (t) => {
  const file = path.join(folder, 'platt.json');
  const calibration = { method: 'platt', slope: 1.5, intercept: -0.25 } as const;
  await saveCalibration(file, calibration);
  t.deepEqual(await loadCalibration(file), calibration);
  t.like(JSON.parse(readFileSync(file, 'utf8')), { format: 'winnow-calibration', version: 1 });
});

test('a file that holds something else is refused by name', async (t) => {
  const file = path.join(folder, 'other.json');
  for (const text of [
    '{}',
    '{',
    '[]',
    '{"format":"winnow-calibration","version":1,"method":"temperature","temperature":0}',
  ]) {
    writeFileSync(file, text);
    await t.throwsAsync(loadCalibration(file), { instanceOf: OptionError, message: /other\.json/ });
  }
  await t.throwsAsync(loadCalibration(path.join(folder, 'none.json')), { code: 'ENOENT' });
});

test('examples come from an array or from a file with one of them in a line', async (t) => {
  const examples = [true, true, true, false].map((label) => ({ logits: { yes: 4, no: 0 }, label }));
  const file = path.join(folder, 'examples.jsonl');
  writeFileSync(file, examples.map((example) => `${JSON.stringify(example)}\n`).join('\n'));
  const fitted = await fitCalibration(examples);
  t.deepEqual(await fitCalibration(file), fitted);
  t.is(fitted.examples, 4);
  t.true(fitted.logLossAfter < fitted.logLossBefore);
});

test('a wrong example is named by its place', async (t) => {
  const file = path.join(folder, 'wrong.jsonl');
  writeFileSync(file, '{"logits":[1,0],"label":0}\n{"logits":[1,0],"label":2}\n');
  await t.throwsAsync(fitCalibration(file), {
    instanceOf: OptionError,
    message: /wrong\.jsonl:2\.label must be one of 0, 1/,
  });
  writeFileSync(file, '{"logits":[1,0],"label":0}\n{');
  await t.throwsAsync(fitCalibration(file), { instanceOf: OptionError, message: /wrong\.jsonl:2 is no JSON/ });
  await t.throwsAsync(fitCalibration([{ logits: [1, 0], label: 0 }]), { message: /at least two examples/ });
  await t.throwsAsync(fitCalibration(path.join(folder, 'none.jsonl')), { code: 'ENOENT' });
});

test('a model calibrates a question on labelled inputs, asked as they stand', async (t) => {
  const { native, model } = await openFake({ logprob: ({ index }) => (index === 0 ? -1 : -3) });
  const question = { type: 'boolean', instructions: 'Is it good?' } as const;
  const labels = [true, true, true, false];
  const fitted = await model.calibrate(
    question,
    labels.map((label, index) => ({ prompt: `Text ${index}`, label })),
  );
  t.is(native.submitted.length, 4);
  if (fitted.calibration.method !== 'temperature') return t.fail();
  t.true(near(fitted.calibration.temperature, 2 / Math.log(3)));
});

test('choices are labelled by key and scores by level', async (t) => {
  const { model } = await openFake();
  const choice = { type: 'choice', instructions: 'x', choices: { red: null, blue: null } } as const;
  const inputs = ['red', 'blue'].map((label) => ({ prompt: 'x', label }));
  await t.notThrowsAsync(model.calibrate(choice, inputs, { method: 'platt' }));
  const score = { type: 'score', instructions: 'x', levels: ['a', 'b', 'c'] } as const;
  await t.notThrowsAsync(
    model.calibrate(
      score,
      [0, 2].map((label) => ({ prompt: 'x', label })),
    ),
  );
  await t.throwsAsync(model.calibrate(choice, [{ prompt: 'x', label: 'green' }]), {
    instanceOf: OptionError,
    message: /examples\[0\]\.label must be one of red, blue/,
  });
  await t.throwsAsync(model.calibrate(score, inputs, { method: 'isotonic' as never }), { message: /^method must be/ });
});
