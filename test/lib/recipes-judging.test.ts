import test from 'ava';
import { critiqueAndRevise, preferenceLabel } from '../../lib/recipes/constitutional.js';
import { compareAnswers } from '../../lib/recipes/judging.js';
import { constitution } from '../../lib/recipes/prompts/constitution.js';
import type { FakeOptions } from '../support/fake-native.js';
import { collect, openFake } from '../support/open-fake.js';
import { inTurn } from '../support/scripted.js';

const messages = [{ role: 'user', content: 'Which is larger?' }];
const answers = ['The sun.', 'The moon.'] as const;

/** P(A) of the first request, then of the second. */
function judge(...probabilities: number[]): FakeOptions['logprob'] {
  let asked = 0;
  return ({ index }) => {
    const a = probabilities[Math.floor(asked++ / 2)];
    return Math.log(index === 0 ? a : 1 - a);
  };
}

test('a comparison asks in both orders and sums over the swap', async (t) => {
  const { native, model } = await openFake({ logprob: judge(0.8, 0.6) });
  const run = compareAnswers(model, { messages, answers });
  const events = await collect(run);
  t.is(events.filter(({ type }) => type === 'order').length, 2);
  const { preference, winner, asGiven, swapped, isInconsistent } = await run.result();
  t.true(Math.abs(preference - 0.32 / 0.44) < 1e-9);
  t.is(winner, 'first');
  t.true(Math.abs(asGiven - 0.8) < 1e-9);
  t.true(Math.abs(swapped - 0.4) < 1e-9);
  t.true(isInconsistent); // The second order alone prefers the other.
  const [given, turned] = native.submitted.map(({ prompt }) => native.detokenize(prompt, true));
  t.regex(given, /\[Answer A\]\nThe sun\.\n\n\[Answer B\]\nThe moon\./);
  t.regex(turned, /\[Answer A\]\nThe moon\.\n\n\[Answer B\]\nThe sun\./);
});

test('a judge that looks at the place alone finds a tie', async (t) => {
  const { model } = await openFake({ logprob: judge(0.9, 0.9) });
  const { winner, isInconsistent } = await compareAnswers(model, { messages, answers, margin: 1e-9 }).result();
  t.is(winner, 'tie');
  t.true(isInconsistent);
});

test('what is nearly equal is a tie where the margin says so', async (t) => {
  const { model } = await openFake({ logprob: judge(0.45, 0.5) });
  t.is((await compareAnswers(model, { messages, answers, margin: 0.06 }).result()).winner, 'tie');
  const again = await openFake({ logprob: judge(0.45, 0.5) });
  t.is((await compareAnswers(again.model, { messages, answers }).result()).winner, 'second');
  t.throws(() => compareAnswers(model, { messages, answers: ['x'] as never }), { code: 'ERR_OPTION_VALUE' });
});

test('critique and revision: one growing conversation, one principle a round, none twice before all', async (t) => {
  const { native, model } = await openFake({ answer: inTurn(['a0', 'c1', 'a1', 'c2', 'a2', 'c3', 'a3', 'c4', 'a4']) });
  const run = critiqueAndRevise(model, { messages, seed: 3 });
  const events = await collect(run);
  t.deepEqual(
    events.map(({ type }) => type),
    ['answer', ...Array<string[]>(4).fill(['drop', 'revision']).flat(), 'finish'],
  );
  const { answer, first, rounds, report } = await run.result();
  t.deepEqual([first, answer], ['a0', 'a4']);
  t.deepEqual(
    rounds.map(({ critique, revision }) => [critique, revision]),
    [
      ['c1', 'a1'],
      ['c2', 'a2'],
      ['c3', 'a3'],
      ['c4', 'a4'],
    ],
  );
  t.deepEqual(rounds.map(({ principle }) => principle).sort(), constitution.map(({ name }) => name).sort());
  t.deepEqual(
    report.dropped.map(({ item }) => item),
    ['a0', 'a1', 'a2', 'a3'],
  );
  const texts = native.submitted.map(({ prompt }) => native.detokenize(prompt, true));
  t.true(texts.every((text, index) => index === 0 || text.length > texts[index - 1].length));
  t.true(texts[8].includes('a0') && texts[8].includes('c4'));
});

test('the principles are drawn by the seed', async (t) => {
  const draw = async (seed: number) => {
    const { model } = await openFake();
    const { rounds } = await critiqueAndRevise(model, { messages, seed }).result();
    return rounds.map(({ principle }) => principle).join();
  };
  t.is(await draw(1), await draw(1));
  t.true(new Set(await Promise.all([1, 2, 3, 4, 5].map(draw))).size > 1);
});

test('without rounds the first answer stands', async (t) => {
  const { model } = await openFake({ answer: inTurn(['a0']) });
  const { answer, rounds } = await critiqueAndRevise(model, { messages, rounds: 0 }).result();
  t.deepEqual([answer, rounds], ['a0', []]);
  t.throws(() => critiqueAndRevise(model, { messages, principles: [] }), { code: 'ERR_OPTION_VALUE' });
});

test('a preference label is P(A) ÷ (P(A) + P(B)) under a principle', async (t) => {
  const { native, model } = await openFake({ logprob: judge(0.9) });
  const { preference, raw, reasoning, principle } = await preferenceLabel(model, {
    messages,
    answers,
    principle: 'Be brief.',
  }).result();
  t.true(Math.abs(preference - 0.9) < 1e-9);
  t.is(raw, preference);
  t.is(reasoning, null);
  t.is(principle, 'Be brief.');
  t.regex(native.detokenize(native.submitted[0].prompt, true), /\(A\) The sun\.\n\n\(B\) The moon\.\n\n.*"Be brief\."/);
});

test('where it is worked out first it is clamped to 0.4 … 0.6', async (t) => {
  const { native, model } = await openFake({ answer: inTurn(['The first is right.']), logprob: judge(0.9) });
  const { preference, raw, reasoning } = await preferenceLabel(model, {
    messages,
    answers,
    chainOfThought: true,
  }).result();
  t.is(preference, 0.6);
  t.true(Math.abs(raw - 0.9) < 1e-9);
  t.is(reasoning, 'The first is right.');
  const suffix = native.submitted[2].questions[0].suffix;
  t.is(native.detokenize(suffix, true), 'The first is right.\nThe better answer is (');
});
