import test from 'ava';
import { OptionError } from '../../lib/errors.js';
import type { FakeOptions, LabelPlace } from '../support/fake-native.js';
import { collect, openFake, settle } from '../support/open-fake.js';

const messages = [{ role: 'user', content: 'Hi' }];
const good = { type: 'boolean', instructions: 'Good?' } as const;
const bad = { type: 'boolean', instructions: 'Bad?' } as const;

/** P(yes) by question and candidate. */
function scripted(yes: number[][]): FakeOptions['logprob'] {
  return ({ question, candidate, label }: LabelPlace) => {
    const probability = yes[question][candidate];
    return Math.log(label.trim() === 'Yes' ? probability : 1 - probability);
  };
}

async function openPrefix(options: FakeOptions) {
  const { native, model } = await openFake(options);
  return { native, prefix: await model.prefill({ messages }) };
}

test('a turn is one request with all candidates and questions, on the prefix', async (t) => {
  const { native, prefix } = await openPrefix({});
  await prefix.winnow({ candidates: 16, attributes: { good, bad }, rank: (s) => s.good, topK: 40 }).result();
  t.is(native.submitted.length, 2);
  t.like(native.submitted[1], { parent: 1, candidates: 16, topK: 40 });
  t.is(native.submitted[1].questions.length, 2);
});

test('questions follow the candidate’s answer as the next turn', async (t) => {
  const { native, prefix } = await openPrefix({});
  await prefix.winnow({ candidates: 1, attributes: { good }, rank: (s) => s.good }).result();
  const suffix = native.detokenize(native.submitted[1].questions[0].suffix, true);
  t.is(
    suffix,
    '<|im_end|>\n<|im_start|>user\nGood?\nReply with one word, Yes or No.<|im_end|>\n<|im_start|>assistant\n',
  );
});

test('the candidate that ranks highest among the kept is chosen', async (t) => {
  const { prefix } = await openPrefix({
    logprob: scripted([
      [0.5, 0.7, 0.9],
      [0.1, 0.1, 0.5],
    ]),
  });
  const result = await prefix
    .winnow({ candidates: 3, attributes: { good, bad }, keep: ({ bad }) => bad < 0.2, rank: ({ good }) => good })
    .result();
  t.is(result.outcome, 'chosen');
  t.is(result.chosen?.candidate, 1);
  t.deepEqual(
    result.rejected.map(({ candidate }) => candidate),
    [2],
  );
  t.is(result.bestRejected?.candidate, 2);
  t.deepEqual(
    result.candidates.map(({ kept }) => kept),
    [true, true, false],
  );
});

test('a candidate carries its text, scores, answers, rank and what it failed', async (t) => {
  const { prefix } = await openPrefix({ logprob: scripted([[0.75]]) });
  const { candidates } = await prefix
    .winnow({
      candidates: 1,
      attributes: { good },
      keep: { perfect: ({ good }) => good > 0.9 },
      rank: (s) => 2 * s.good,
    })
    .result();
  const [candidate] = candidates;
  t.like(candidate, { candidate: 0, text: 'Hello world!', reason: 'eos', kept: false, failed: ['perfect'] });
  t.true(Math.abs(candidate.scores.good - 0.75) < 1e-12);
  t.is(candidate.rank, 2 * candidate.scores.good);
  t.is(candidate.answers.good.probability, candidate.scores.good);
});

test('of equals the first is chosen', async (t) => {
  const { prefix } = await openPrefix({});
  const { chosen } = await prefix.winnow({ candidates: 3, attributes: { good }, rank: () => 1 }).result();
  t.is(chosen?.candidate, 0);
});

test('that none passed is an outcome with the best rejected', async (t) => {
  const { prefix } = await openPrefix({ logprob: scripted([[0.5, 0.9, 0.7]]) });
  const result = await prefix
    .winnow({ candidates: 3, attributes: { good }, keep: () => false, rank: ({ good }) => good })
    .result();
  t.is(result.outcome, 'none-passed');
  t.is(result.chosen, null);
  t.is(result.bestRejected?.candidate, 1);
  t.is(result.rejected.length, 3);
});

test('several rules are told by name', async (t) => {
  const { prefix } = await openPrefix({ logprob: scripted([[0.5], [0.6]]) });
  const { rejected } = await prefix
    .winnow({
      candidates: 1,
      attributes: { good, bad },
      keep: { good: (s) => s.good > 0.8, bad: (s) => s.bad < 0.2, always: () => true },
      rank: (s) => s.good,
    })
    .result();
  t.deepEqual(rejected[0].failed, ['good', 'bad']);
});

test('events come in the order: tokens, finish, score, reject', async (t) => {
  const { prefix } = await openPrefix({ answer: () => ({ pieces: ['Hi'] }), logprob: scripted([[0.9, 0.1]]) });
  const turn = prefix.winnow({ candidates: 2, attributes: { good }, keep: (s) => s.good > 0.5, rank: (s) => s.good });
  const events = await collect(turn);
  t.deepEqual(
    events.map((event) => ('candidate' in event ? `${event.type} ${event.candidate}` : event.type)),
    [
      'candidate-token 0',
      'candidate-token 1',
      'candidate-token 0',
      'candidate-finish 0',
      'candidate-token 1',
      'candidate-finish 1',
      'score 0',
      'score 1',
      'reject 1',
      'finish',
    ],
  );
  t.like(events[8], { type: 'reject', failed: ['keep'] });
  t.like(events[9], { type: 'finish', outcome: 'chosen' });
});

test('a candidate is scored once its last question is answered, whatever the order', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const filling = model.prefill({ messages });
  while (native.submitted.length === 0) await settle();
  while (!native.isIdle) native.step();
  const prefix = await filling;
  const turn = prefix.winnow({ candidates: 1, attributes: { good, bad }, rank: (s) => s.good - s.bad });
  while (native.submitted.length < 2) await settle();
  const score = (question: number, yes: number) => ({
    type: 'score' as const,
    request: 2,
    candidate: 0,
    question,
    labels: [yes, 1 - yes].map((p) => ({
      logprob: Math.log(p),
      tokenLogprobs: Float64Array.of(Math.log(p)),
      isGreedy: p > 0.5,
    })),
  });
  native.emit([{ type: 'candidate', request: 2, candidate: 0, reason: 'eos', tokens: 1 }, score(1, 0.25)]);
  const reading = turn[Symbol.asyncIterator]();
  t.like(await reading.next(), { value: { type: 'candidate-finish' } });
  native.emit([score(0, 0.75)]);
  const { value } = await reading.next();
  t.like(value, { type: 'score', candidate: 0 });
  t.true(value?.type === 'score' && Math.abs(value.rank - 0.5) < 1e-12);
  await reading.return?.();
});

test('choices and labels are ranked by their probabilities, scores by their value', async (t) => {
  const { prefix } = await openPrefix({});
  const seen: unknown[] = [];
  await prefix
    .winnow({
      candidates: 1,
      attributes: {
        tone: { type: 'choice', instructions: 'Tone?', choices: { warm: null, cold: null } },
        length: { type: 'score', instructions: 'Length?', levels: ['short', 'long'] },
        raw: { type: 'labels', suffix: ' OK', labels: { yes: ' 1', no: ' 0' } },
      },
      rank: ({ tone, length, raw }) => {
        seen.push(Object.keys(tone), typeof length, Object.keys(raw));
        return tone.warm + length + raw.yes;
      },
    })
    .result();
  t.deepEqual(seen, [['warm', 'cold'], 'number', ['yes', 'no']]);
});

test('what keep or rank throws ends the turn with that error and cancels it', async (t) => {
  const own = new Error('mine');
  for (const rules of [
    {
      keep: () => {
        throw own;
      },
      rank: () => 1,
    },
    {
      rank: () => {
        throw own;
      },
    },
  ]) {
    const { native, prefix } = await openPrefix({});
    const turn = prefix.winnow({ candidates: 2, attributes: { good }, ...rules });
    t.is(await t.throwsAsync(turn.result()), own);
    t.deepEqual(native.cancelled, [2]);
  }
});

test('keep must give a boolean and rank a number', async (t) => {
  const { prefix } = await openPrefix({});
  const turn = (rules: object) =>
    prefix.winnow({ candidates: 1, attributes: { good }, rank: () => 1, ...rules }).result();
  await t.throwsAsync(turn({ keep: () => 1 }), { instanceOf: OptionError, message: /'keep' returned 1/ });
  await t.throwsAsync(turn({ rank: () => NaN }), {
    instanceOf: OptionError,
    message: /rank must return a number, got NaN/,
  });
  await t.throwsAsync(turn({ rank: () => 'high' }), { instanceOf: OptionError, message: /got high/ });
});

test('without options it is LaMDA’s turn', async (t) => {
  const yes = [
    [0.9, 0.8],
    [0.5, 0.9],
    [0.5, 0.9],
    [0.1, 0.3],
  ]; // sensible, specific, interesting, unsafe
  const { native, prefix } = await openPrefix({
    logprob: ({ question, candidate, label }) => {
      const probability = yes[question][candidate % 2];
      return Math.log(label === 'Yes' ? probability : 1 - probability);
    },
  });
  const { candidates, chosen, rejected } = await prefix.winnow().result();
  t.is(native.submitted[1].candidates, 16);
  t.is(chosen?.candidate, 0);
  t.is(rejected.length, 8);
  t.deepEqual(rejected[0].failed, ['unsafe']);
  t.true(Math.abs(candidates[0].rank - (3 * 0.9 + 0.5 + 0.5)) < 1e-9);
});

test('other attributes need a ranking', async (t) => {
  const { prefix } = await openPrefix({});
  t.throws(() => prefix.winnow({ attributes: { good } }), {
    instanceOf: OptionError,
    message: /^rank must be a function/,
  });
});

test('attributes, candidates and rules are checked', async (t) => {
  const { prefix } = await openPrefix({});
  const rank = () => 1;
  for (const options of [
    { candidates: 0 },
    { candidates: 1025 },
    { attributes: {}, rank },
    { keep: 3 },
    { keep: { a: 1 } },
    { rank: 'best' },
  ])
    t.throws(() => prefix.winnow(options as never), { instanceOf: OptionError, code: 'ERR_OPTION_VALUE' });
});

test('room is left for the longest question', async (t) => {
  const { native, model } = await openFake({ info: { contextSize: 20 } });
  const prefix = await model.prefill({ prompt: [3, 4, 5] });
  const raw = { type: 'labels', suffix: [6, 7, 8, 9], labels: { a: [10, 11], b: [12] } } as const;
  await prefix.winnow({ candidates: 1, attributes: { raw }, rank: () => 1, maxTokens: 100 }).result();
  t.is(native.submitted[1].maxTokens, 20 - 3 - 5);
});

test('messages can be appended to a turn', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ messages: [{ role: 'system', content: 'Be kind.' }] });
  await prefix.winnow({ messages, candidates: 1 }).result();
  t.is(native.detokenize(native.submitted[1].prompt, true), '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n');
});
