// Every published formula, on numbers that were worked out by hand.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { directorLogprobs, factualNucleusTopP } from '../../lib/recipes/formulas/decoding.js';
import { dialogueMetrics } from '../../lib/recipes/formulas/dialogue-metrics.js';
import {
  calibrateLabels,
  clampPreference,
  preferenceOf,
  swappedPreference,
  winRate,
} from '../../lib/recipes/formulas/preferences.js';
import {
  bestOfNDivergence,
  indexOfHighest,
  llama2Reward,
  measuredDivergence,
  sparrowScores,
} from '../../lib/recipes/formulas/selection.js';
import { isDecided, pathWeight, tallyVotes } from '../../lib/recipes/formulas/votes.js';

const { log } = Math;

function near(t: ExecutionContext, actual: readonly number[] | number, expected: readonly number[] | number) {
  const [got, wanted] = [[actual].flat(), [expected].flat()];
  const isNear = got.length === wanted.length && got.every((value, index) => Math.abs(value - wanted[index]) < 1e-12);
  t.true(isNear, `${got.join(', ')} instead of ${wanted.join(', ')}`);
}

test('Sparrow: the reward’s share of e^r + e^mean(r), times the geometric mean of the rules that hold', (t) => {
  // mean(r) = ½ log 3, so that e^mean(r) = √3: the shares are 1 ÷ (1 + √3) and √3 ÷ (1 + √3).
  const scores = sparrowScores([
    { reward: 0, violations: [0.19, 0] }, // √(0.81 · 1) = 0.9
    { reward: log(3), violations: [0.5, 0.5] },
  ]);
  near(t, scores, [0.9 / (1 + Math.sqrt(3)), (0.5 * Math.sqrt(3)) / (1 + Math.sqrt(3))]);
});

test('Sparrow: equal rewards leave the rules to decide, and without rules every candidate has one half', (t) => {
  near(
    t,
    sparrowScores([
      { reward: 7, violations: [0.36] },
      { reward: 7, violations: [0.64] },
    ]),
    [0.32, 0.18],
  );
  near(t, sparrowScores([{ reward: -2, violations: [] }]), [0.5]);
});

test('Sparrow: a rule that is violated for certain gives zero, also where all are', (t) => {
  t.deepEqual(
    sparrowScores([
      { reward: 100, violations: [0, 1, 0] },
      { reward: -100, violations: [1, 1, 1] },
    ]),
    [0, 0],
  );
});

test('Sparrow: rewards far apart are no overflow', (t) => {
  near(
    t,
    sparrowScores([
      { reward: 4000, violations: [0] },
      { reward: -4000, violations: [0] },
    ]),
    [1, 0],
  );
});

test('best of n: log n − (n − 1) ÷ n', (t) => {
  t.is(bestOfNDivergence(1), 0);
  near(t, bestOfNDivergence(2), log(2) - 0.5);
  near(t, bestOfNDivergence(16), 2.772588722239781 - 0.9375);
});

test('measured divergence: the mean difference of log-probabilities', (t) => {
  near(t, measuredDivergence([-1, -3], [-2, -2.5]), 0.25);
  t.is(measuredDivergence([-1, -3], [-1, -3]), 0);
  t.is(measuredDivergence([-1], [-Infinity]), Infinity);
});

test('Llama 2: safety decides where the prompt is tagged or the safety score is below 0.15', (t) => {
  const helpful = { helpfulness: 0.9, safety: 0.15, isSafetyPrompt: false };
  t.deepEqual(llama2Reward(helpful), { source: 'helpfulness', reward: 0.9 });
  t.deepEqual(llama2Reward({ ...helpful, safety: 0.149 }), { source: 'safety', reward: 0.149 });
  t.deepEqual(llama2Reward({ ...helpful, safety: 0.8, isSafetyPrompt: true }), { source: 'safety', reward: 0.8 });
  t.deepEqual(llama2Reward({ ...helpful, safety: 0 }, 0), { source: 'helpfulness', reward: 0.9 });
});

test('the highest is the first of equals, never NaN, and −1 of none', (t) => {
  t.is(indexOfHighest([1, 3, 3, 2]), 1);
  t.is(indexOfHighest([NaN, -Infinity, NaN]), 1);
  t.is(indexOfHighest([NaN]), -1);
  t.is(indexOfHighest([]), -1);
});

test('votes are added by answer; of equals the first to be voted for wins', (t) => {
  const votes = ['9', '18', '18', '9', '7'].map((answer) => ({ answer, weight: 1 }));
  t.deepEqual(tallyVotes(votes), [
    { answer: '9', weight: 2, votes: 2 },
    { answer: '18', weight: 2, votes: 2 },
    { answer: '7', weight: 1, votes: 1 },
  ]);
  t.deepEqual(tallyVotes([]), []);
});

test('weighted votes: two unlikely paths lose to a likely one, and a vote of weight zero counts for nothing', (t) => {
  const tallies = tallyVotes([
    { answer: '9', weight: 0.25 },
    { answer: '9', weight: 0.25 },
    { answer: '18', weight: 0.625 },
    { answer: '5', weight: 0 },
  ]);
  t.deepEqual(
    tallies.map(({ answer, weight }) => [answer, weight]),
    [
      ['18', 0.625],
      ['9', 0.5],
      ['5', 0],
    ],
  );
});

test('a path weighs e to its mean log-probability', (t) => {
  near(t, pathWeight([log(0.5), log(0.125)]), 0.25);
  t.is(pathWeight([-Infinity, -1]), 0);
  t.is(pathWeight([]), 0);
});

test('a vote is decided when the remaining ones can’t even make a tie', (t) => {
  const tallies = (counts: number[]) => counts.map((weight, index) => ({ answer: `${index}`, weight, votes: weight }));
  t.false(isDecided(tallies([21, 3]), 18));
  t.true(isDecided(tallies([21, 3]), 17));
  t.false(isDecided(tallies([20]), 20)); // A new answer may still catch up.
  t.true(isDecided(tallies([21]), 19));
  t.true(isDecided(tallies([2, 1]), 0));
  t.false(isDecided(tallies([2, 2]), 0));
  t.false(isDecided([], 0));
  t.true(isDecided(tallies([3, 2]), 4, 0.125));
});

test('Director: the two distributions multiplied and renormalised', (t) => {
  // ½, ¼, ¼ times ¼, ¾, ½ is ⅛, 3⁄16, ⅛.
  const languageModel = [log(2), 0, 0];
  const classifier = [-log(3), log(3), 0];
  near(t, directorLogprobs(languageModel, classifier).map(Math.exp), [2 / 7, 3 / 7, 2 / 7]);
  near(t, directorLogprobs(languageModel, classifier, 0).map(Math.exp), [0.5, 0.25, 0.25]);
  // γ = 2: ½ · 1⁄16, ¼ · 9⁄16, ¼ · ¼.
  near(t, directorLogprobs(languageModel, classifier, 2).map(Math.exp), [2 / 15, 9 / 15, 4 / 15]);
});

test('Director: what either forbids has no probability', (t) => {
  const logprobs = directorLogprobs([0, 0, -Infinity], [-Infinity, 800, 800]);
  t.deepEqual(logprobs.map(Math.exp), [0, 1, 0]);
  t.deepEqual(directorLogprobs([0, 0], [-Infinity, 0], 0).map(Math.exp), [0.5, 0.5]);
  t.throws(() => directorLogprobs([-Infinity, 0], [0, -Infinity]), { instanceOf: RangeError });
});

test('factual nucleus: 0.9 · 0.9^(t − 1), no less than 0.3', (t) => {
  near(
    t,
    [0, 1, 2, 3].map((place) => factualNucleusTopP(place)),
    [0.9, 0.9, 0.81, 0.729],
  );
  t.is(factualNucleusTopP(12), 0.3);
  near(t, factualNucleusTopP(3, { topP: 0.8, decay: 0.5, floor: 0 }), 0.2);
  t.is(factualNucleusTopP(100, { decay: 1 }), 0.9);
});

test('a preference is the share of A; of nothing it is one half', (t) => {
  near(t, preferenceOf({ a: log(0.3), b: log(0.1) }), 0.75);
  t.is(preferenceOf({ a: -Infinity, b: -Infinity }), 0.5);
  t.is(preferenceOf({ a: -Infinity, b: log(0.1) }), 0);
});

test('a comparison summed over the swap: 0.8 · 0.4 against 0.2 · 0.6', (t) => {
  near(t, swappedPreference({ a: log(0.8), b: log(0.2) }, { a: log(0.6), b: log(0.4) }), 0.32 / 0.44);
});

test('a judge that always says A has no preference', (t) => {
  near(t, swappedPreference({ a: log(0.9), b: log(0.1) }, { a: log(0.9), b: log(0.1) }), 0.5);
});

test('preferences by chain of thought are clamped to 0.4 … 0.6', (t) => {
  t.deepEqual(
    [0, 0.4, 0.55, 1].map((p) => clampPreference(p)),
    [0.4, 0.4, 0.55, 0.6],
  );
  t.is(clampPreference(0.9, 0, 1), 0.9);
});

test('a tie is half a win', (t) => {
  t.deepEqual(winRate([0.9, 0.5, 0.2, 0.6]), { wins: 2, ties: 1, losses: 1, rate: 0.625 });
  t.deepEqual(winRate([0.9, 0.5625, 0.2, 0.4375], 0.0625), { wins: 1, ties: 2, losses: 1, rate: 0.5 });
  t.deepEqual(winRate([]), { wins: 0, ties: 0, losses: 0, rate: null });
});

test('contextual calibration: 0.6 : 0.4 by 0.75 : 0.25 is 1 : 2', (t) => {
  const logs = (values: number[]) => values.map(log);
  near(t, calibrateLabels(logs([0.6, 0.4]), [logs([0.75, 0.25])]), [1 / 3, 2 / 3]);
  // The mean of two content-free inputs: ½ : ½.
  near(t, calibrateLabels(logs([0.6, 0.4]), [logs([0.75, 0.25]), logs([0.25, 0.75])]), [0.6, 0.4]);
  near(t, calibrateLabels(logs([0.06, 0.04]), []), [0.6, 0.4]);
});

test('contextual calibration: what neither finds possible stays a number', (t) => {
  const [never, always] = calibrateLabels([-Infinity, log(0.4)], [[-Infinity, 0]]);
  t.deepEqual([never, always], [0, 1]);
});

test('LaMDA’s metrics are shares, each of what it is about', (t) => {
  const plain = { sensible: true, specific: false, interesting: false, safe: true };
  const claim = { ...plain, hasExternalClaims: true, specific: true };
  const responses = [
    { ...claim, isSupported: true, isCited: true },
    { ...claim, isSupported: false, isCited: false, safe: false },
    { ...plain, hasExternalClaims: false, isSupported: false, isCited: false },
    { ...plain, hasExternalClaims: false, isSupported: false, isCited: false },
  ];
  t.deepEqual(dialogueMetrics(responses), {
    sensibleness: 1,
    specificity: 0.5,
    interestingness: 0,
    quality: 0.5,
    safety: 0.75,
    groundedness: 0.5,
    informativeness: 0.25,
    citationAccuracy: 0.5,
  });
  t.is(dialogueMetrics([]).quality, null);
  t.is(dialogueMetrics(responses.slice(2)).groundedness, null);
});
