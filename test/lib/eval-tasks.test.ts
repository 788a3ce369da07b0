// Evaluations on a scripted engine: what is asked, and what the answers become.
import { readFile } from 'node:fs/promises';
import test from 'ava';
import type { EvalItem, EvalTaskName } from '../../lib/eval/index.js';
import { evaluate, evalRequests } from '../../lib/eval/index.js';
import { evalTaskNames } from '../../lib/options.js';
import { evalSample, readSample } from '../support/eval-samples.js';
import type { FakeOptions } from '../support/fake-native.js';
import { openFake } from '../support/open-fake.js';

async function run(task: EvalTaskName, items: EvalItem[], options: FakeOptions = {}, more: object = {}) {
  const { model } = await openFake(options);
  return evaluate(model, items, { task, ...more });
}

const near = (actual: number | null | undefined, expected: number) => Math.abs(Number(actual) - expected) < 1e-9;

test('truthfulqa: MC1 and MC2 of hand-worked log-likelihoods', async (t) => {
  const logprobs: Record<string, number> = { ' right': -1, ' also': -2, ' wrong': -1.5, ' false': -4 };
  const item = {
    id: 'a',
    question: 'Q?',
    best: 'right',
    correct: ['also', 'right'],
    incorrect: ['wrong', 'false'],
    category: 'c',
  };
  const worse = { ...item, id: 'b', best: 'also' };
  const { metrics, groups, rows } = await run('truthfulqa', [item, worse], { logprob: ({ label }) => logprobs[label] });
  const mass = (...values: number[]) => values.reduce((sum, value) => sum + Math.exp(value), 0);
  const mc2 = mass(-1, -2) / mass(-1, -2, -1.5, -4);
  t.like(metrics.mc1, { value: 0.5, count: 2, interval: 'exact' });
  t.true(near(metrics.mc2.value, mc2));
  t.deepEqual(Object.keys(groups!), ['c']);
  t.like(rows[0], { id: 'a', group: 'c', mc1: true, correct: [-1, -2], incorrect: [-1.5, -4] });
  t.like(rows[1], { id: 'b', mc1: false, correct: [-2, -1] });
});

test('truthfulqa asks behind the paper’s prompt', (t) => {
  const [{ context, continuations }] = evalRequests('truthfulqa', {
    question: 'Why?',
    best: 'So',
    correct: ['So'],
    incorrect: ['No'],
  });
  t.true(context.startsWith('Q: What is human life expectancy in the United States?\nA: '));
  t.true(context.endsWith('Barcelona, Spain.\n\nQ: Why?\nA:'));
  t.deepEqual(continuations, [' So', ' No']);
});

test('hhh: log-likelihoods, and A or B in both orders', async (t) => {
  const item = { query: 'Q', chosen: 'good', rejected: 'bad bad bad bad' };
  const isChosenFirst = (prompt: string) => prompt.indexOf('good') < prompt.indexOf('bad');
  const logprob: FakeOptions['logprob'] = ({ label, prompt }) => {
    if (label === ' good') return -5;
    if (label === ' bad bad bad bad') return -4;
    // P(A) is 0.9 where the chosen answer is A, 0.6 where it is B.
    const first = isChosenFirst(prompt) ? 0.9 : 0.6;
    return Math.log(label === ' A' ? first : 1 - first);
  };
  const { metrics, rows } = await run('hhh', [item], { logprob });
  t.is(metrics.accuracy.value, 0);
  t.is(metrics.accuracyPerCharacter.value, 0); // −5 ÷ 4 is less than −4 ÷ 15.
  t.is(metrics.accuracyAb.value, 1); // 0.9 + 0.4 > 1.
  t.is(metrics.consistentAb.value, 0);
  t.true(near(metrics.firstShareAb.value, 0.75));
  t.like(rows[0], { id: null, line: 1, chosen: -5, rejected: -4, correct: false, correctAb: true });
});

test('multiple-choice: accuracy as it is and per character', async (t) => {
  const item = { context: 'C', choices: ['ab', 'abcdefgh'], answer: 'abcdefgh' };
  const { metrics, rows } = await run('multiple-choice', [item], {
    logprob: ({ label }) => (label === ' ab' ? -2 : -4),
  });
  t.is(metrics.accuracy.value, 0);
  t.is(metrics.accuracyPerCharacter.value, 1); // −4 ÷ 8 > −2 ÷ 2.
  t.like(rows[0], { choice: 0, choicePerCharacter: 1, answer: 1, logprobs: [-2, -4] });
});

test('perplexity: of all texts as one', async (t) => {
  const items = [{ text: 'one two' }, { text: 'a b c d' }];
  const { metrics, rows } = await run('perplexity', items, { logprob: ({ label }) => -3 * label.length });
  t.deepEqual(
    rows.map(({ logprob, tokens, words, bytes }) => [logprob, tokens, words, bytes]),
    [
      [-21, 2, 2, 7],
      [-21, 4, 4, 7],
    ],
  );
  t.true(near(metrics.wordPerplexity.value, Math.exp(42 / 6)));
  t.true(near(metrics.bytePerplexity.value, Math.exp(3)));
  t.true(near(metrics.bitsPerByte.value, 3 / Math.LN2));
});

test('gsm8k: every sample is read, most of them win', async (t) => {
  const texts = ['The answer is 8.', 'The answer is 7.', 'So 7'];
  let asked = 0;
  const answer = () => ({ pieces: [texts[asked++ % 3]] });
  const { metrics, rows } = await run('gsm8k', [{ question: 'Q?', answer: '#### 7' }], { answer }, { samples: 3 });
  t.is(metrics.accuracy.value, 1);
  t.deepEqual(rows[0].parsed, ['8', '7', '7']);
  t.like(rows[0], { target: '7', answer: '7', texts });
});

test('gsm8k: samples are drawn with seeds of their own, the same in every run', async (t) => {
  const seeds = async (seed: number) => {
    const { model, native } = await openFake();
    await evaluate(model, [{ id: 'x', question: 'Q?', answer: '1' }], { task: 'gsm8k', samples: 3, seed });
    return native.submitted.map((request) => [request.seed, request.temperature]);
  };
  const first = await seeds(1);
  t.is(new Set(first.map(([seed]) => seed)).size, 3);
  t.deepEqual(
    first.map(([, temperature]) => temperature),
    [0.7, 0.7, 0.7],
  );
  t.deepEqual(await seeds(1), first);
  t.notDeepEqual(await seeds(2), first);
});

test('toxigen: Yes or No, accuracy and area under the curve', async (t) => {
  const items = [
    { text: 'bad one', hateful: true },
    { text: 'good one', hateful: false },
    { text: 'bad two', hateful: true },
  ];
  const yes = (prompt: string) => (prompt.includes('bad one') ? 0.9 : prompt.includes('good') ? 0.6 : 0.7);
  const logprob: FakeOptions['logprob'] = ({ label, prompt }) =>
    Math.log(label === ' Yes' ? yes(prompt) : 1 - yes(prompt));
  const { metrics } = await run('toxigen', items, { logprob });
  t.true(near(metrics.accuracy.value, 2 / 3));
  t.is(metrics.auc.value, 1);
});

test('bold: a classifier of one’s own grades prompt and text; groups are compared', async (t) => {
  const items = ['a', 'a', 'b'].map((group, index) => ({ prompt: `Prompt ${index}`, group }));
  const seen: string[] = [];
  const classifier = (text: string, prompt: string) => {
    seen.push(text);
    return prompt.endsWith('2') ? -1 : 0.5;
  };
  const { metrics, groups, rows } = await run('bold', items, {}, { classifier });
  t.deepEqual(seen.toSorted(), ['Prompt 0Hello world!', 'Prompt 1Hello world!', 'Prompt 2Hello world!']);
  t.is(metrics.meanSentiment.value, 0);
  t.is(metrics.spread.value, 1.5);
  t.is(groups!['a'].meanSentiment.value, 0.5);
  t.deepEqual(rows[2], { id: null, line: 3, group: 'b', text: 'Hello world!', grade: -1 });
});

test('toxigen-generate: without a classifier the judge is asked', async (t) => {
  const logprob: FakeOptions['logprob'] = ({ label }) => Math.log(label.trim() === 'Yes' ? 0.8 : 0.2);
  const { metrics } = await run('toxigen-generate', [{ prompt: 'They' }], { logprob });
  t.is(metrics.toxicShare.value, 1);
  t.true(near(metrics.meanToxicity.value, 0.8));
});

test('a classifier that throws, or gives no number, is the error of its row', async (t) => {
  const failing = () => {
    throw new Error('no');
  };
  for (const classifier of [failing, () => NaN]) {
    const { errors, rows, metrics } = await run('bold', [{ prompt: 'x' }], {}, { classifier });
    t.is(errors, 1);
    t.like(rows[0].error, { class: 'EvalError', code: 'ERR_EVAL_CLASSIFIER' });
    t.is(metrics.meanSentiment.value, null);
  }
});

test('lamda: attributes of the reply, and what its claims rest on', async (t) => {
  const user = { role: 'user', content: 'Tell me' };
  const reply = (content: string) => [user, { role: 'assistant', content }];
  const items = [
    { messages: reply('See https://a.org/x.'), sources: ['https://a.org/x: a fact'] },
    { messages: reply('See https://b.org.'), sources: ['https://a.org/x: a fact'] },
    { messages: [user] },
  ];
  // In order: sensible, specific, interesting, unsafe, claim, supported.
  const yes = [0.9, 0.9, 0.1, 0.2, 0.8, 0.7];
  const logprob: FakeOptions['logprob'] = ({ label, question }) =>
    Math.log(label.trim() === 'Yes' ? yes[question] : 1 - yes[question]);
  const { metrics, rows } = await run('lamda', items, { logprob });
  const values = Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value]));
  t.deepEqual(values, {
    ...{ sensible: 1, specific: 1, interesting: 0, safe: 1 },
    ...{ grounded: 1, informative: 1, citationAccuracy: 1 / 3 },
  });
  t.is(rows[2].reply, 'Hello world!');
  t.deepEqual(
    rows.map(({ cites }) => cites),
    [true, false, false],
  );
});

test('lamda: what claims nothing is neither grounded nor ungrounded', async (t) => {
  const item = {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hi' },
    ],
  };
  const { metrics } = await run('lamda', [item], {
    logprob: ({ label }) => Math.log(label.trim() === 'Yes' ? 0.1 : 0.9),
  });
  t.like(metrics.grounded, { value: null, count: 0 });
  t.like(metrics.informative, { value: 0, count: 1 });
});

test('pairwise: the orders are summed; a judge that looks at the place alone sees a tie', async (t) => {
  const items = [
    { prompt: 'P', first: 'good', second: 'bad' },
    { messages: [{ role: 'user', content: 'P' }], first: 'same', second: 'equal' },
  ];
  const logprob: FakeOptions['logprob'] = ({ label, prompt }) => {
    if (!prompt.includes('good')) return Math.log(label === ' A' ? 0.75 : 0.25);
    const isGood = prompt.indexOf('good') < prompt.indexOf('bad') === (label === ' A');
    return Math.log(isGood ? 0.875 : 0.125);
  };
  const { metrics, rows } = await run('pairwise', items, { logprob });
  t.is(metrics.winRate.value, 0.75);
  t.is(metrics.ties.value, 0.5);
  t.is(metrics.consistent.value, 0.5);
  t.like(rows[0], { winner: 'first', consistent: true });
  t.like(rows[1], { winner: 'tie', probability: 0.5 });
});

test('what is wrong with an item is its row, and the figures are of the others', async (t) => {
  const good = { id: 'good', context: 'C', choices: ['a', 'b'], answer: 0 };
  const items = [good, { id: 'bad', context: 'C', choices: ['a'] }, { ...good, id: 'index', answer: 5 }];
  const { items: count, errors, metrics, rows } = await run('multiple-choice', items);
  t.deepEqual([count, errors, metrics.accuracy.count], [3, 2, 1]);
  t.deepEqual(
    rows.map(({ id, error }) => [id, error?.code]),
    [
      ['good', undefined],
      ['bad', 'ERR_OPTION_VALUE'],
      ['index', 'ERR_OPTION_VALUE'],
    ],
  );
});

test('options are checked; tasks that generate have no requests to show', async (t) => {
  const { model } = await openFake();
  const wrong = [
    { task: 'none' },
    { task: 'hhh', samples: 0 },
    { task: 'hhh', sed: 1 },
    { task: 'bold', classifier: 1 },
  ];
  for (const options of wrong) await t.throwsAsync(evaluate(model, [], options as never), { name: 'OptionError' });
  t.throws(() => evalRequests('gsm8k', { question: 'Q', answer: '1' }), { code: 'ERR_OPTION_VALUE' });
  const controller = new AbortController();
  controller.abort(new Error('enough'));
  await t.throwsAsync(evaluate(model, [{}], { task: 'hhh', signal: controller.signal }), { message: 'enough' });
});

for (const task of evalTaskNames) {
  test(`the sample of ${task} is what the task reads`, async (t) => {
    const items = await readSample(task);
    const { errors, rows, metrics } = await run(task, items);
    t.is(errors, 0, JSON.stringify(rows.find(({ error }) => error)));
    t.deepEqual(
      rows.map(({ id }) => id),
      items.map(({ id }) => id),
    );
    t.true(Object.values(metrics).some(({ value }) => value !== null));
    t.regex(await readFile(evalSample(task), 'utf8'), /\n$/);
  });
}
