import test from 'ava';
import { OptionError } from '../../lib/errors.js';
import type { ChecksOptions, SampleOptions } from '../../lib/options.js';
import type { FakeOptions } from '../support/fake-native.js';
import { collect, openFake } from '../support/open-fake.js';

const answer: FakeOptions['answer'] = () => ({ pieces: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] });
const kind = { type: 'labels', suffix: ' KIND', labels: { yes: ' 1', no: ' 0' } } as const;
const good = { type: 'boolean', instructions: 'Good?' } as const;
const checks = { every: 2, questions: { good }, thresholds: { good: 0.5 } } as const satisfies ChecksOptions;

async function openPrefix(options: FakeOptions) {
  const { native, model } = await openFake({ answer, ...options });
  return { native, prefix: await model.prefill({ messages: [{ role: 'user', content: 'Hi' }] }) };
}

/** Odd candidates fail when they have four tokens. */
const oddFail: FakeOptions['checkValue'] = ({ candidate, tokens }) => (candidate % 2 && tokens === 4 ? 0.25 : 0.75);

test('a candidate whose score is too low ends with the question, the score and the position', async (t) => {
  const { prefix } = await openPrefix({ checkValue: oddFail });
  const { candidates, checks: summary } = await prefix.sample({ count: 4, checks }).result();
  t.deepEqual(
    candidates.map(({ text, reason, rejection }) => ({ text, reason, rejection })),
    [0, 1, 2, 3].map((candidate) =>
      candidate % 2
        ? { text: 'abcd', reason: 'rejected', rejection: { question: 'good', score: 0.25, position: 4 } }
        : { text: 'abcdefgh', reason: 'eos', rejection: undefined },
    ),
  );
  // The others drew 8 tokens and the end of the text: 9 − 4 for each that was stopped.
  t.deepEqual(summary, { rejected: 2, refilled: 0, savedTokens: 10 });
});

test('events tell the scores of each check, and the end of a stopped candidate follows', async (t) => {
  const { prefix } = await openPrefix({ checkValue: () => 0.25 });
  const events = await collect(prefix.sample({ count: 1, checks }));
  t.deepEqual(
    events.map(({ type }) => type),
    ['candidate-token', 'candidate-token', 'candidate-check', 'candidate-finish', 'finish'],
  );
  t.deepEqual(events[2], { type: 'candidate-check', candidate: 0, position: 2, scores: { good: 0.25 } });
  t.like(events[3], { candidate: 0, reason: 'rejected', tokens: 2, text: 'ab' });
});

test('a stopped candidate’s place goes to the next number', async (t) => {
  const { native, prefix } = await openPrefix({ checkValue: oddFail });
  const result = await prefix.sample({ count: 2, checks: { ...checks, refill: true } }).result();
  t.is(native.submitted[1].checks!.refills, 2);
  t.deepEqual(
    result.candidates.map(({ reason }) => reason),
    ['eos', 'rejected', 'eos'],
  );
  t.like(result.checks, { rejected: 1, refilled: 1 });
});

test('where all are stopped, maxTokens stands for the length they might have had', async (t) => {
  const { prefix } = await openPrefix({ checkValue: () => 0 });
  const result = await prefix.sample({ count: 3, maxTokens: 100, checks }).result();
  t.deepEqual(result.checks, { rejected: 3, refilled: 0, savedTokens: 3 * 98 });
});

test('without checks nothing of them goes down or comes up', async (t) => {
  const { native, prefix } = await openPrefix({});
  const result = await prefix.sample({ count: 1 }).result();
  t.false('checks' in result || 'checks' in native.submitted[1]);
});

test('questions go down as tokens, with the weights of their score', async (t) => {
  const { native, prefix } = await openPrefix({});
  const levels = ['low', 'middle', 'high'];
  await prefix
    .sample({
      count: 1,
      checks: {
        every: 'sentence',
        after: 12,
        questions: { kind, depth: { type: 'score', instructions: 'Depth?', levels }, good },
        thresholds: { kind: { label: 'no', max: 0.2 }, depth: { min: 0.5, max: 1.5 }, good: 0.1 },
        refill: 7,
      },
    })
    .result();
  const down = native.submitted[1].checks!;
  t.like(down, { every: 0, after: 12, refills: 7 });
  t.deepEqual(
    down.checks.map(({ weights, least, most }) => [[...weights], least, most]),
    [
      [[0, 1], -Infinity, 0.2],
      [[0, 1, 2], 0.5, 1.5],
      [[1, 0], 0.1, Infinity],
    ],
  );
  t.is(native.detokenize(down.checks[0].suffix, true), ' KIND');
  t.true(native.detokenize(down.checks[2].suffix, true).startsWith('<|im_end|>\n<|im_start|>user\nGood?'));
});

test('normalisation and calibration go down as a scale and an offset per label', async (t) => {
  const { native, prefix } = await openPrefix({
    logprob: ({ label }) => (label.trim() === 'Yes' ? -1 : -3), // Of the content-free text.
  });
  const calibration = { method: 'platt', slope: 2, intercept: 0.5 } as const;
  const questions = {
    prior: { ...good, normalization: 'prior' },
    platt: { ...good, calibration },
    temperature: { ...good, calibration: { method: 'temperature', temperature: 4 } },
    mean: { ...kind, labels: { yes: 'aa bb', no: ' cc' }, normalization: 'mean' },
  } as const;
  const thresholds = { prior: 0, platt: 0, temperature: 0, mean: { label: 'yes', min: 0 } };
  await prefix.sample({ count: 1, checks: { every: 1, questions, thresholds } }).result();
  const request = native.submitted.find(({ checks }) => checks)!;
  const [prior, platt, temperature, mean] = request.checks!.checks;
  t.deepEqual(
    [[...prior.scales], [...prior.offsets]],
    [
      [1, 1],
      [1, 3],
    ],
  );
  t.deepEqual(
    [[...platt.scales], [...platt.offsets]],
    [
      [2, 2],
      [0.5, 0],
    ],
  );
  t.deepEqual(
    [[...temperature.scales], [...temperature.offsets]],
    [
      [0.25, 0.25],
      [0, 0],
    ],
  );
  t.deepEqual(
    [...mean.scales],
    mean.labels.map(({ length }) => 1 / length),
  );
});

test('a turn asks nothing of stopped candidates and lists them apart', async (t) => {
  const { prefix } = await openPrefix({ checkValue: oddFail });
  const turn = prefix.winnow({ candidates: 4, attributes: { good }, rank: (s) => s.good, checks });
  const { candidates, stopped, chosen, checks: summary } = await turn.result();
  t.deepEqual(
    candidates.map(({ candidate }) => candidate),
    [0, 2],
  );
  t.deepEqual(
    stopped.map(({ candidate, rejection }) => [candidate, rejection?.score]),
    [
      [1, 0.25],
      [3, 0.25],
    ],
  );
  t.is(chosen?.candidate, 0);
  t.is(summary?.rejected, 2);
});

test('a turn whose candidates were all stopped says so', async (t) => {
  const { prefix } = await openPrefix({ checkValue: () => 0 });
  const turn = prefix.winnow({ candidates: 2, attributes: { good }, rank: (s) => s.good, checks });
  t.like(await turn.result(), { outcome: 'all-stopped', chosen: null, bestRejected: null, candidates: [] });
});

const wrong: [string, Record<string, unknown>][] = [
  ['checks.every', { every: 0 }],
  ['checks.every', { every: 'word' }],
  ['checks.every', { every: undefined }],
  ['checks.after', { after: -1 }],
  ['checks.questions', { questions: {} }],
  ['checks.thresholds.good', { thresholds: {} }],
  ['checks.thresholds.good', { thresholds: { good: {} } }],
  ['checks.thresholds.good.min', { thresholds: { good: { min: 0.5, max: 0.4 } } }],
  ['checks.thresholds.good.min', { thresholds: { good: { min: NaN } } }],
  ['checks.thresholds.good.label', { thresholds: { good: { min: 0, label: 'yes' } } }],
  ['checks.thresholds.kind.label', { questions: { kind }, thresholds: { kind: 0.5 } }],
  ['checks.thresholds.kind.label', { questions: { kind }, thresholds: { kind: { min: 0, label: 'maybe' } } }],
  ['checks.thresholds.bad', { thresholds: { good: 1, bad: 1 } }],
  ['checks.refill', { refill: -1 }],
  ['checks.refill', { refill: 'all' }],
  ['checks.often', { often: true }],
];

for (const [option, change] of wrong) {
  test(`${option} is refused for ${JSON.stringify(change)}`, async (t) => {
    const { prefix } = await openPrefix({});
    const options = { count: 1, checks: { ...checks, ...change } } as unknown as SampleOptions;
    const error = t.throws(() => prefix.sample(options), { instanceOf: OptionError });
    t.is(error.option, option);
  });
}
