import test from 'ava';
import type { ExecutionContext } from 'ava';
import { sparrowPrompts, sparrowRules } from '../../lib/recipes/prompts/sparrow.js';
import type { SparrowOptions } from '../../lib/recipes/sparrow.js';
import { sparrow } from '../../lib/recipes/sparrow.js';
import type { FakeOptions } from '../support/fake-native.js';
import { collect, openFake } from '../support/open-fake.js';
import { byCandidate, yesBy } from '../support/scripted.js';

const messages = [{ role: 'user', content: 'Which lake is the deepest?' }];
const rules = { rude: 'Is it rude?', wrong: 'Is it wrong?' };

async function run(fake: FakeOptions, options: Partial<SparrowOptions> = {}) {
  const { native, model } = await openFake(fake);
  const events = await collect(sparrow(model, { messages, candidates: 2, rules, seed: 1, ...options }));
  const finish = events.at(-1);
  if (finish?.type !== 'finish') throw new Error('no finish');
  return { native, events, result: finish };
}

const near = (t: ExecutionContext, actual: number, expected: number) =>
  t.true(Math.abs(actual - expected) < 1e-9, `${actual} instead of ${expected}`);

test('there are 23 rules, each a question about the last message', (t) => {
  t.is(Object.keys(sparrowRules).length, 23);
  for (const rule of Object.values(sparrowRules)) t.regex(rule, /your last message .*\?$/);
});

test('8 × 23: every rule is a leaf behind every candidate, and the context is evaluated once', async (t) => {
  const { native, model } = await openFake({ answer: byCandidate(['Baikal', 'Superior']) });
  const { report, candidates } = await sparrow(model, { messages, seed: 1 }).result();
  const [pin, tree] = native.submitted;
  t.is(native.submitted.length, 2);
  t.is(tree.candidates, 8);
  t.is(tree.questions.length, 24); // 23 rules and the preference.
  t.is(candidates.length, 8);
  t.is(Object.keys(candidates[0].violations).length, 23);
  // C + N · (1 + Σ t_q).
  const asked = tree.questions.reduce((sum, { suffix }) => sum + suffix.length, 0);
  t.is(report.usage.evaluatedPromptTokens, pin.prompt.length + tree.prompt.length + 8 * (1 + asked));
});

test('the reward’s share and the rules that hold decide', async (t) => {
  // Candidate 0: rude 0.19, wrong 0; candidate 1: 0.5 and 0.5, but liked three times as much.
  const violations: Record<string, number[]> = { rude: [0.19, 0.5], wrong: [1e-18, 0.5] };
  const { result } = await run(
    {
      answer: byCandidate(['One', 'Two']),
      logprob: yesBy((suffix, candidate) => violations[suffix.includes('rude') ? 'rude' : 'wrong'][candidate]),
    },
    { reward: (_, text) => (text === 'One' ? 0 : Math.log(3)) },
  );
  const [one, two] = result.candidates;
  near(t, one.score, 0.9 / (1 + Math.sqrt(3)));
  near(t, two.score, (0.5 * Math.sqrt(3)) / (1 + Math.sqrt(3)));
  t.is(result.chosen?.text, 'One');
  t.deepEqual(result.report.dropped, [{ item: 'candidate 1', reason: 'candidate 0 ranks higher' }]);
  t.is(result.report.scored.length, 2);
});

test('without a reward model the preference’s log-odds are the reward', async (t) => {
  const { result } = await run({
    answer: byCandidate(['One', 'Two']),
    logprob: yesBy((suffix, candidate) => (suffix.includes('like best') ? [0.25, 0.75][candidate] : 0.5)),
  });
  near(t, result.candidates[0].reward, -Math.log(3));
  near(t, result.candidates[1].reward, Math.log(3));
  t.is(result.chosen?.candidate, 1);
});

test('that all violate a rule for certain is an outcome', async (t) => {
  const { result, events } = await run({ logprob: yesBy(() => 1) }, { reward: () => 0 });
  t.is(result.outcome, 'none-passed');
  t.is(result.chosen, null);
  t.deepEqual(
    result.report.dropped.map(({ reason }) => reason),
    ['it violates a rule for certain', 'it violates a rule for certain'],
  );
  t.is(events.filter(({ type }) => type === 'drop').length, 2);
});

test('half of the candidates see evidence for a query that the model writes', async (t) => {
  const queries: string[] = [];
  const { native, result, events } = await run(
    { answer: (candidate, { grammar }) => ({ pieces: [grammar ? ' deepest lake\n' : `Answer ${candidate}`] }) },
    {
      candidates: 4,
      search: (query) => {
        queries.push(query);
        return [{ text: 'Baikal: 1,642 m', source: 'atlas' }, 'other'];
      },
    },
  );
  t.deepEqual(queries, ['deepest lake']);
  t.deepEqual(
    result.candidates.map(({ hasEvidence }) => hasEvidence),
    [false, false, true, true],
  );
  t.deepEqual(result.evidence, { text: 'Baikal: 1,642 m', source: 'atlas' });
  t.is(events.find(({ type }) => type === 'evidence')?.type, 'evidence');
  const shown = native.submitted.map(({ prompt }) => native.detokenize(prompt, true));
  t.is(shown.filter((text) => text.includes('Search Result: Baikal: 1,642 m')).length, 1);
  t.is(native.submitted.filter(({ candidates }) => candidates === 2).length, 2);
});

test('where the search finds nothing, all go without, and the report says so', async (t) => {
  const { result } = await run({}, { candidates: 4, search: () => [] });
  t.true(result.candidates.every(({ hasEvidence }) => !hasEvidence));
  t.is(result.evidence, null);
  t.regex(result.report.dropped[0].reason, /the search found nothing for/);
});

test('a reward is asked about what its candidate has seen', async (t) => {
  const seen: string[] = [];
  await run(
    {},
    {
      search: () => ['Baikal'],
      reward: (context) => {
        seen.push(context[context.length - 1].content);
        return 0;
      },
    },
  );
  t.deepEqual(
    seen.map((text) => text.includes('Baikal')),
    [false, true],
  );
});

test('options are checked', async (t) => {
  const { model } = await openFake();
  for (const wrong of [{ candidates: 0 }, { rules: {} }, { rules: { a: '' } }, { reward: 3 }, { messages: [] }])
    t.throws(() => sparrow(model, { messages, ...wrong } as never), { code: 'ERR_OPTION_VALUE' });
  t.throws(() => sparrow(model, { messages, rule: {} } as never), { code: 'ERR_OPTION_UNKNOWN' });
  t.true(sparrowPrompts.withEvidence.includes('{evidence}'));
});
