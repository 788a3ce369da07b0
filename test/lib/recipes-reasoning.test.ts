import test from 'ava';
import { inContext } from '../../lib/recipes/in-context.js';
import { leastToMost } from '../../lib/recipes/least-to-most.js';
import { reasoningPrompts } from '../../lib/recipes/prompts/reasoning.js';
import { chainOfThought, numberBehind, selfConsistency } from '../../lib/recipes/self-consistency.js';
import { selfDebug } from '../../lib/recipes/self-debug.js';
import { collect, openFake } from '../support/open-fake.js';
import { inTurn } from '../support/scripted.js';

const question = 'How many legs do 3 cats have?';
const says = (answer: number | string) => `Let me see. The answer is ${answer}.`;

for (const [text, expected] of [
  ['So 3 * 4 = 12. The answer is 12.', '12'],
  ['The answer is $1,250.50 in all', '1250.5'],
  ['The answer is -3', '-3'],
  ['The answer is 7. The answer is 8.', '7'],
  ['12', null],
  ['The answer is many.', null],
  ['The answer is\n12', null],
] as const)
  test(`behind the mark, ${JSON.stringify(text)} gives ${expected}`, (t) => {
    t.is(numberBehind(text, reasoningPrompts.answerMark), expected);
  });

test('chain of thought: one greedy path behind eight worked examples, which are pinned', async (t) => {
  const { native, model } = await openFake({ answer: inTurn([says(12)]) });
  const { answer, paths } = await chainOfThought(model, { question }).result();
  t.is(answer, '12');
  t.is(paths.length, 1);
  t.is(reasoningPrompts.examples.match(/^Q: /gm)?.length, 8);
  t.true(native.submitted[0].pin);
  t.is(native.submitted[2].temperature, 0);
  t.is(native.submitted[2].candidates, 1);
});

test('forty paths vote, and those without an answer have none', async (t) => {
  const texts = [says(12), says(10), 'I do not know.', says(12)];
  const { native, model } = await openFake({ answer: (candidate) => ({ pieces: [texts[candidate % 4]] }) });
  const { answer, tallies, paths, saved, report } = await selfConsistency(model, {
    question,
    stopEarly: false,
  }).result();
  t.is(answer, '12');
  t.deepEqual(
    tallies.map((tally) => [tally.answer, tally.votes]),
    [
      ['12', 20],
      ['10', 10],
    ],
  );
  t.is(paths.length, 40);
  t.is(saved, 0);
  t.is(report.dropped.length, 10);
  t.deepEqual(
    native.submitted.slice(2).map(({ candidates }) => candidates),
    [8, 8, 8, 8, 8],
  );
});

test('the vote ends when it is decided: 21 of 40 that agree', async (t) => {
  const { model } = await openFake({ answer: () => ({ pieces: [says(12)] }) });
  const { answer, paths, saved } = await selfConsistency(model, { question, atOnce: 1 }).result();
  t.is(answer, '12');
  t.is(paths.length, 21);
  t.is(saved, 19);
});

test('within a batch, paths that are not needed any more are stopped', async (t) => {
  const { native, model } = await openFake({ answer: () => ({ pieces: [says(12)] }) });
  const { answer, paths, saved } = await selfConsistency(model, { question, samples: 5, atOnce: 5 }).result();
  t.is(answer, '12');
  t.is(paths.length, 3); // The last two can't change anything.
  t.is(saved, 2);
  t.is(native.cancelled.length, 1);
  t.true(native.isIdle);
});

/** Forty answers of a question, spread as the numbers of votes say. */
function spread(votes: number[], shift: number): string[] {
  const texts = votes.flatMap((count, answer) => Array<string>(count).fill(says(answer)));
  return texts.map((_, index) => texts[(index * 7 + shift) % 40]); // 7 and 40 have no common divisor.
}

test('stopping early gives the answer of all forty, for fewer tokens, on twenty questions', async (t) => {
  const shapes = [
    [40],
    [30, 10],
    [21, 19],
    [20, 20],
    [14, 13, 13],
    [25, 10, 5],
    [10, 10, 10, 10],
    [39, 1],
    [18, 12, 10],
  ];
  let saved = 0;
  for (let index = 0; index < 20; index++) {
    const texts = spread(shapes[index % shapes.length], index);
    const ask = async (stopEarly: boolean) => {
      let drawn = 0; // Batches come one after the other.
      const answer = (candidate: number) => ({ pieces: [texts[8 * Math.floor(drawn++ / 8) + candidate]] });
      const { model } = await openFake({ answer });
      return selfConsistency(model, { question, stopEarly, seed: index }).result();
    };
    const [full, early] = [await ask(false), await ask(true)];
    t.is(early.answer, full.answer, `question ${index}`);
    t.is(full.paths.length, 40);
    t.true(early.report.usage.generatedTokens <= full.report.usage.generatedTokens);
    saved += early.saved;
  }
  t.true(saved > 100, `${saved} paths saved`);
});

test('a batch draws the same whether or not the vote may end early', async (t) => {
  const seeds = async (stopEarly: boolean) => {
    const { native, model } = await openFake({ answer: () => ({ pieces: [says(12)] }) });
    await selfConsistency(model, { question, stopEarly, seed: 9 }).result();
    return native.submitted.slice(2).map(({ seed, candidates }) => [seed, candidates]);
  };
  const [early, full] = [await seeds(true), await seeds(false)];
  t.deepEqual(early, full.slice(0, early.length));
  t.is(new Set(full.map(([seed]) => seed)).size, 5);
});

test('weighted votes: the weight of a path is exp of its mean log-probability', async (t) => {
  const { native, model } = await openFake({ answer: () => ({ pieces: [says(12)] }) });
  const run = selfConsistency(model, { question, samples: 2, weights: 'path' });
  const { tallies } = await run.result();
  t.true(Math.abs(tallies[0].weight - 2 * Math.exp(-0.5)) < 1e-9); // The fake's tokens have a log-probability of −0.5.
  t.true(native.submitted[2].logprobs);
});

test('an answer can be read in another way, and no answer at all is null', async (t) => {
  const { model } = await openFake({ answer: () => ({ pieces: ['(B) is right'] }) });
  const parse = (text: string) => /\(([A-E])\)/.exec(text)?.[1] ?? null;
  t.is((await selfConsistency(model, { question, samples: 3, parse }).result()).answer, 'B');
  t.is((await selfConsistency(model, { question, samples: 3 }).result()).answer, null);
});

test('least to most: sub-questions in order, each behind the answers before it', async (t) => {
  const plan = ' "How many legs does a cat have?", "How many cats are there?", "How many cats are there?"';
  const { native, model } = await openFake({ answer: inTurn([plan, ` ${says(4)}`, ` ${says(3)}`, ` ${says(12)}`]) });
  const events = await collect(leastToMost(model, { question }));
  t.deepEqual(
    events.filter(({ type }) => type !== 'progress').map(({ type }) => type),
    ['plan', 'step', 'step', 'step', 'finish'],
  );
  const finish = events.at(-1);
  if (finish?.type !== 'finish') return t.fail();
  t.is(finish.answer, '12');
  t.deepEqual(
    finish.steps.map((step) => [step.question, step.answer]),
    [
      ['How many legs does a cat have?', '4'],
      ['How many cats are there?', '3'],
      [question, '12'],
    ],
  );
  const texts = native.submitted.map(({ prompt }) => native.detokenize(prompt, true));
  t.true(texts.includes(` ${says(4)}\n`));
  t.true(native.submitted.every(({ parent }, index) => index === 0 || index === 2 || parent !== 0));
});

test('least to most: no more sub-questions than allowed, and without any the question itself', async (t) => {
  const { model } = await openFake({ answer: inTurn([' "A?", "B?", "C?"', says(1)]) });
  const { steps, report } = await leastToMost(model, { question, most: 2 }).result();
  t.deepEqual(
    steps.map((step) => step.question),
    ['A?', 'B?', question],
  );
  t.deepEqual(report.dropped[0], { item: 'C?', reason: 'only 2 sub-questions are asked' });
  const none = await openFake({ answer: inTurn([' nothing', says(1)]) });
  t.is((await leastToMost(none.model, { question }).result()).steps.length, 1);
});

const messages = [{ role: 'user', content: 'Write JSON.' }];
const check = (text: string) => (text.startsWith('{') ? null : 'It must begin with {.');

test('self-debugging: the checker’s message goes back until it is content', async (t) => {
  const { native, model } = await openFake({ answer: inTurn(['nope', '{}']) });
  const { outcome, answer, attempts, report } = await selfDebug(model, { messages, check }).result();
  t.is(outcome, 'passed');
  t.is(answer, '{}');
  t.deepEqual(attempts, [
    { text: 'nope', complaint: 'It must begin with {.' },
    { text: '{}', complaint: null },
  ]);
  t.deepEqual(report.dropped, [{ item: 'attempt 0', reason: 'It must begin with {.' }]);
  t.regex(
    native.detokenize(native.submitted[1].prompt, true),
    /assistant\nnope<\|im_end\|>\n<\|im_start\|>user\nThat is not right yet\. It must begin with \{\./,
  );
});

test('self-debugging: at most k rounds, and that none passed is an outcome', async (t) => {
  const { model } = await openFake({ answer: inTurn(['nope']) });
  const { outcome, answer, attempts } = await selfDebug(model, { messages, check, rounds: 2 }).result();
  t.deepEqual([outcome, answer, attempts.length], ['none-passed', null, 3]);
});

const labels = { good: 'good', bad: 'bad' };
const examples = [
  { input: 'Lovely.', label: 'good' },
  { input: 'Awful.', label: 'bad' },
];

test('in-context learning: label words behind examples, divided by what they have without content', async (t) => {
  const yes = (suffix: string) => (suffix.includes('Fine') ? 0.6 : 0.75);
  const { native, model } = await openFake({
    logprob: ({ label, suffix }) => Math.log(label === ' good' ? yes(suffix) : 1 - yes(suffix)),
  });
  const { predictions, report } = await inContext(model, { inputs: ['Fine'], examples, labels }).result();
  const [{ label, probabilities, uncalibrated }] = predictions;
  t.is(label, 'bad');
  t.true(Math.abs(uncalibrated['good'] - 0.6) < 1e-9);
  t.true(Math.abs(probabilities['good'] - 1 / 3) < 1e-9); // 0.6 ÷ 0.75 : 0.4 ÷ 0.25 is 1 : 2.
  t.is(
    native.detokenize(native.submitted[0].prompt, true),
    '<s>Input: Lovely.\nLabel: good\n\nInput: Awful.\nLabel: bad\n\n',
  );
  t.deepEqual(
    report.asked.map(({ stage }) => stage),
    ['examples', 'content-free', 'content-free', 'content-free', 'inputs'],
  );
  t.true(native.submitted.slice(1).every(({ parent }) => parent === 1));
});

test('in-context learning: calibration can be left out, and labels must be known', async (t) => {
  const { native, model } = await openFake();
  const { predictions } = await inContext(model, { inputs: ['x', 'y'], examples, labels, calibrate: false }).result();
  t.deepEqual(
    predictions.map(({ input }) => input),
    ['x', 'y'],
  );
  t.is(native.submitted.length, 3);
  const wrong = [{ input: 'x', label: 'fair' }];
  t.throws(() => inContext(model, { inputs: ['x'], examples: wrong, labels }), { code: 'ERR_OPTION_VALUE' });
});
