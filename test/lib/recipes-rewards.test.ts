import test from 'ava';
import { bestOfN } from '../../lib/recipes/best-of-n.js';
import { attachInstruction, ghostAttention } from '../../lib/recipes/ghost-attention.js';
import { rejectionSampling } from '../../lib/recipes/rejection-sampling.js';
import { judgeProbability, judgeReward } from '../../lib/recipes/reward.js';
import { collect, openFake } from '../support/open-fake.js';
import { byCandidate, inTurn, yesBy } from '../support/scripted.js';

const messages = [{ role: 'user', content: 'Hi' }];
const lengthOf = (_: unknown, text: string) => text.length;

test('best of n keeps the answer with the highest reward, the first of equals', async (t) => {
  const { native, model } = await openFake({ answer: byCandidate(['a', 'ccc', 'bb', 'ddd']) });
  const run = bestOfN(model, { messages, reward: lengthOf, n: 4, seed: 1 });
  const events = await collect(run);
  t.is(events.filter(({ type }) => type === 'candidate').length, 4);
  t.is(events.filter(({ type }) => type === 'score').length, 4);
  const { chosen, candidates, divergence, measuredDivergence, report } = await run.result();
  t.is(chosen.candidate, 1);
  t.deepEqual(
    candidates.map(({ reward }) => reward),
    [1, 3, 2, 3],
  );
  t.true(Math.abs(divergence - (Math.log(4) - 0.75)) < 1e-12);
  t.is(measuredDivergence, null);
  t.deepEqual(
    report.dropped.map(({ item }) => item),
    ['candidate 0', 'candidate 2', 'candidate 3'],
  );
  t.is(native.submitted.length, 2); // The context once, all candidates in one request.
});

test('by default sixteen answers are drawn', async (t) => {
  const { native, model } = await openFake();
  await bestOfN(model, { messages, reward: () => 0 }).result();
  t.is(native.submitted[1].candidates, 16);
});

test('the measured divergence is the mean difference of both engines’ log-probabilities', async (t) => {
  const policy = await openFake({ answer: byCandidate(['a', 'b']), logprob: ({ index }) => [-1, -3][index] });
  const reference = await openFake({ logprob: ({ index }) => [-2, -2.5][index] });
  const options = { messages, reward: lengthOf, n: 2, reference: reference.model };
  const { measuredDivergence, candidates } = await bestOfN(policy.model, options).result();
  t.true(Math.abs(measuredDivergence! - 0.25) < 1e-12);
  t.is(candidates[0].referenceLogprob, -2);
});

test('answers without text count as certain under both', async (t) => {
  const { model } = await openFake({ answer: () => ({ pieces: [] }) });
  const { measuredDivergence } = await bestOfN(model, { messages, reward: lengthOf, n: 2, reference: model }).result();
  t.is(measuredDivergence, 0);
});

test('a reward that fails ends the run with its error', async (t) => {
  const { native, model } = await openFake();
  const reward = () => Promise.reject(new Error('no reward'));
  await t.throwsAsync(bestOfN(model, { messages, reward }).result(), { message: 'no reward' });
  t.deepEqual(native.openPrefixes, []);
});

test('a reward gets the conversation, the text and a signal', async (t) => {
  const { model } = await openFake();
  const seen: unknown[][] = [];
  const reward = (...given: unknown[]) => seen.push(given);
  await bestOfN(model, { messages, reward, n: 1 }).result();
  t.deepEqual(seen[0].slice(0, 2), [messages, 'Hello world!']);
  t.true((seen[0][2] as { signal: unknown }).signal instanceof AbortSignal);
});

test('a judge’s reward is the log-odds of yes, or its probability', async (t) => {
  const { native, model } = await openFake({ logprob: yesBy(() => 0.8) });
  const { signal } = new AbortController();
  t.true(Math.abs((await judgeReward(model)(messages, 'Hello', { signal })) - Math.log(4)) < 1e-9);
  t.true(Math.abs((await judgeProbability(model)(messages, 'Hello', { signal })) - 0.8) < 1e-9);
  t.regex(native.detokenize(native.submitted[0].prompt, true), /assistant\nHello/);
});

const rewards: Record<string, { helpfulness: number; safety: number }> = {
  helpful: { helpfulness: 0.9, safety: 0.5 },
  dangerous: { helpfulness: 1, safety: 0.1 }, // Its reward is 0.1.
  safe: { helpfulness: 0.2, safety: 0.95 },
};
const helpfulness = (_: unknown, text: string) => rewards[text].helpfulness;
const safety = (_: unknown, text: string) => rewards[text].safety;

test('rejection sampling keeps the best by the reward that counts for the prompt', async (t) => {
  const { model } = await openFake({ answer: byCandidate(Object.keys(rewards)) });
  const rows = [
    { id: 'usual', messages },
    { id: 'risky', messages, isSafetyPrompt: true },
  ];
  const sampled = await collect(rejectionSampling(model, rows, { helpfulness, safety, candidates: 3, seed: 1 }));
  t.deepEqual(
    sampled.map(({ row, chosen }) => [row.id, chosen.text, chosen.source, chosen.reward]),
    [
      ['usual', 'helpful', 'helpfulness', 0.9],
      ['risky', 'safe', 'safety', 0.95],
    ],
  );
  t.deepEqual(
    sampled[0].candidates.map(({ source, reward }) => [source, reward]),
    [
      ['helpfulness', 0.9],
      ['safety', 0.1],
      ['helpfulness', 0.2],
    ],
  );
});

test('provenance is enough to draw a row again, and prompts of fifty come in order', async (t) => {
  const { native, model } = await openFake({ answer: byCandidate(Object.keys(rewards)) });
  const prompts = Array.from({ length: 50 }, (_, id) => ({ id, messages }));
  const options = { helpfulness, safety, candidates: 3, seed: 4, round: 2, drawing: { temperature: 1.2 } };
  const rows = await collect(rejectionSampling(model, prompts, options));
  t.deepEqual(
    rows.map(({ row }) => row.id),
    prompts.map(({ id }) => id),
  );
  const { provenance } = rows[7];
  t.deepEqual(provenance, {
    model: 'Fake',
    seed: provenance.seed,
    candidates: 3,
    round: 2,
    drawing: { maxTokens: 128, temperature: 1.2 },
  });
  t.true(native.submitted.some(({ seed, candidates }) => seed === provenance.seed && candidates === 3));
  t.is(new Set(rows.map((row) => row.provenance.seed)).size, 50);
  t.deepEqual(native.openPrefixes, []);
  t.is(native.submitted.filter(({ pin }) => pin).length, 50);
});

test('the safety threshold is a probability', async (t) => {
  const { model } = await openFake();
  const rows = rejectionSampling(model, [], { helpfulness, safety, safetyThreshold: 2 });
  await t.throwsAsync(collect(rows), { code: 'ERR_OPTION_VALUE' });
});

test('ghost attention: every user turn is drawn under the instruction, the first one is trained with it', async (t) => {
  const { native, model } = await openFake({ answer: inTurn(['Arr.', 'Aye.']) });
  const turns = ['Hello', 'Are you well?'];
  const { messages: dialogue, lossFrom } = await ghostAttention(model, {
    instruction: 'Talk like a pirate.',
    turns,
  }).result();
  t.deepEqual(dialogue, [
    { role: 'user', content: 'Talk like a pirate.\n\nHello' },
    { role: 'assistant', content: 'Arr.' },
    { role: 'user', content: 'Are you well?' },
    { role: 'assistant', content: 'Aye.' },
  ]);
  t.is(lossFrom, 3);
  const drawn = native.detokenize(native.submitted[1].prompt, true);
  t.is(drawn.match(/Talk like a pirate\./g)?.length, 2);
  t.deepEqual(attachInstruction([{ role: 'assistant', content: 'Hi' }], 'X'), [{ role: 'assistant', content: 'Hi' }]);
  t.throws(() => ghostAttention(model, { instruction: 'x', turns: [] }), { code: 'ERR_OPTION_VALUE' });
});
