import test from 'ava';
import { filterDialogues } from '../../lib/recipes/lamda-filter.js';
import { lamdaWithTools } from '../../lib/recipes/lamda-tools.js';
import { lamdaPrompts } from '../../lib/recipes/prompts/lamda.js';
import { calculator } from '../../lib/recipes/tools/calculator.js';
import { createRetrieval } from '../../lib/recipes/tools/retrieval.js';
import { askToolset } from '../../lib/recipes/tools/tool.js';
import { collect, openFake } from '../support/open-fake.js';
import { inTurn, yesBy } from '../support/scripted.js';

const { signal } = new AbortController();
const messages = [{ role: 'user', content: 'What is 135 + 7721?' }];
const retrieval = createRetrieval([
  { text: 'Rafael Nadal was born in 1986.', source: 'tennis' },
  { text: 'Ada Lovelace wrote about the analytical engine.', source: 'engine' },
  { text: 'Rafael Nadal won in Paris again and again.', source: 'paris' },
]);
const tools = {
  calculator,
  translator: (query: string) => (query === 'hello in French' ? ['Bonjour'] : []),
  retrieval,
};

for (const [query, expected] of [
  ['135+7721', '7856'],
  ['2 × (3 − 1) ÷ 8 =', '0.5'],
  ['1,250 * 4', '5000'],
  ['0.1+0.2', '0.3'],
  ['2^10 % 1000', '24'],
  ['5!', '120'],
  ['1.5e3 + 1', '1501'],
  ['3 x 4 = ?', '12'],
]) {
  test(`the calculator knows ${query}`, async (t) => {
    t.deepEqual(await calculator(query, { signal }), [expected]);
  });
}

for (const query of [
  'hello',
  '42',
  '1/0',
  '2+',
  'e+1',
  'ones(9999,9999)',
  '3 m to cm',
  '(((',
  `${'1+'.repeat(200)}1`,
  '',
])
  test(`the calculator leaves ${JSON.stringify(query.slice(0, 20))} to others`, async (t) => {
    t.deepEqual(await calculator(query, { signal }), []);
  });

test('retrieval gives the texts that fit a query, the best first, with their sources', async (t) => {
  const found = await retrieval('when was Nadal born', { signal });
  t.deepEqual(found[0], { text: 'Rafael Nadal was born in 1986.', source: 'tennis' });
  t.deepEqual(
    found.map((one) => (one as { source: string }).source),
    ['tennis', 'paris'],
  );
  t.deepEqual(await retrieval('volcano', { signal }), []);
  t.deepEqual(await retrieval('who was there', { signal }), []);
  t.is((await createRetrieval([{ text: 'tea b' }, { text: 'tea c' }], { most: 1 })('tea', { signal })).length, 1);
});

test('the toolset asks every tool in order and concatenates what they give', async (t) => {
  const { snippets } = await askToolset({ one: () => ['a', 'b'], two: async () => [{ text: 'c', source: 's' }] }, 'x', {
    signal,
  });
  t.deepEqual(snippets, [
    { tool: 'one', text: 'a' },
    { tool: 'one', text: 'b' },
    { tool: 'two', text: 'c', source: 's' },
  ]);
  t.deepEqual((await askToolset(tools, 'hello in French', { signal })).snippets, [
    { tool: 'translator', text: 'Bonjour' },
  ]);
});

test('arithmetic: draft, query, snippet, answer', async (t) => {
  const answer = inTurn(['It is 7,000.', 'TS, 135+7721\n', 'User, It is 7856.\n']);
  const { native, model } = await openFake({ answer });
  const events = await collect(lamdaWithTools(model, { messages, tools, seed: 1 }));
  t.deepEqual(
    events.map(({ type }) => type),
    ['draft', 'lookup', 'answer', 'finish'],
  );
  const finish = events.at(-1);
  if (finish?.type !== 'finish') return t.fail();
  t.is(finish.answer, 'It is 7856.');
  t.is(finish.draft, 'It is 7,000.');
  t.deepEqual(finish.citations, [{ tool: 'calculator', text: '7856' }]);
  t.false(finish.outOfRounds);
  t.deepEqual(
    finish.report.asked.map(({ stage, kind }) => `${stage} ${kind}`),
    ['research prefill', 'research prefill', 'draft generate', 'research prefill', 'research generate'].concat([
      'tools function',
      'research prefill',
      'research generate',
    ]),
  );
  t.deepEqual(native.openPrefixes, []);
  const shown = native.submitted.map(({ prompt }) => native.detokenize(prompt, true));
  t.true(shown[0].endsWith(lamdaPrompts.research));
  t.is(shown[1], 'User: What is 135 + 7721?\nDraft:');
  t.is(shown[3], ' It is 7,000.\n');
  t.is(shown[5], 'TS, 135+7721\nFound: 7856\n');
  t.true(native.submitted.slice(1).every(({ parent }) => parent !== 0)); // One growing sequence.
});

test('facts: the source comes along; the same query again shows the next snippet, then none', async (t) => {
  const query = 'TS, Rafael Nadal\n';
  const { model } = await openFake({ answer: inTurn(['He is 30.', query, query, query, 'User, Born in 1986.\n']) });
  const { rounds, citations, report } = await lamdaWithTools(model, { messages, tools }).result();
  t.deepEqual(
    rounds.map(({ shown }) => shown?.source ?? null),
    ['tennis', 'paris', null],
  );
  t.deepEqual(
    citations.map(({ source }) => source),
    ['tennis', 'paris'],
  );
  t.deepEqual(report.dropped, [{ item: 'Rafael Nadal', reason: 'all that was found has been shown' }]);
});

test('after four rounds Research has to answer', async (t) => {
  const { native, model } = await openFake({
    answer: (_, { grammar }) => ({
      pieces: [!grammar?.includes('[U]') ? ' Hm.' : grammar.includes('[T]') ? 'TS, 1+1\n' : 'User, 2.\n'],
    }),
  });
  const { rounds, answer, outOfRounds } = await lamdaWithTools(model, { messages, tools }).result();
  t.is(rounds.length, 4);
  t.is(answer, '2.');
  t.true(outOfRounds);
  const free = native.submitted.filter(({ grammar }) => grammar?.includes('[T]'));
  t.is(free.length, 4);
  const none = await lamdaWithTools(model, { messages, tools, rounds: 0 }).result();
  t.is(none.rounds.length, 0);
});

test('a tool that fails gives nothing, and the report says why', async (t) => {
  const { model } = await openFake({ answer: inTurn(['Hm.', 'TS, 1+1\n', 'User, 2.\n']) });
  const broken = () => {
    throw new Error('no network');
  };
  const { report, citations } = await lamdaWithTools(model, { messages, tools: { broken, calculator } }).result();
  t.deepEqual(report.dropped, [{ item: 'broken(1+1)', reason: 'it failed: no network' }]);
  t.deepEqual(citations, [{ tool: 'calculator', text: '2' }]);
});

test('the wording can be replaced, and options are checked', async (t) => {
  const { native, model } = await openFake({ answer: inTurn(['Hm.', 'User, Yes.\n']) });
  await lamdaWithTools(model, { messages, tools, prompts: { research: 'Look it up.\n' } }).result();
  t.is(native.detokenize(native.submitted[0].prompt, true), '<s>Look it up.\n');
  t.throws(() => lamdaWithTools(model, { messages, tools, prompts: { reserch: 'x' } as never }), {
    code: 'ERR_OPTION_UNKNOWN',
    message: /Did you mean research\?/,
  });
  t.throws(() => lamdaWithTools(model, { messages, tools: {} }), { code: 'ERR_OPTION_VALUE' });
  t.throws(() => lamdaWithTools(model, { messages, tools, rounds: 17 }), { code: 'ERR_OPTION_VALUE' });
  t.throws(() => lamdaWithTools(model, { messages, tools, round: 1 } as never), { code: 'ERR_OPTION_UNKNOWN' });
});

const dialogues = ['good', 'rude', 'good', 'odd'].map((content, id) => ({
  id,
  messages: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content },
  ],
}));

test('a data set is sifted in order, by the scorer of a turn', async (t) => {
  // The prompt of the fourth question, P(unsafe), decides; the fake sees the conversation only through its order.
  let asked = 0;
  const unsafe = [0.1, 0.9, 0.1, 0.2];
  const { model } = await openFake({
    logprob: yesBy((suffix) => (suffix.includes('hurt') ? unsafe[Math.floor(asked++ / 2)] : 0.5)),
  });
  const rows = await collect(filterDialogues(model, dialogues, { atOnce: 1 }));
  t.deepEqual(
    rows.map(({ index, row, kept, failed }) => [index, row.id, kept, failed]),
    [
      [0, 0, true, []],
      [1, 1, false, ['unsafe']],
      [2, 2, true, []],
      [3, 3, false, ['unsafe']],
    ],
  );
  t.true(Math.abs(rows[1].scores.unsafe - 0.9) < 1e-9);
});

test('a data set is read no further than needed, and stops with its reader', async (t) => {
  const { native, model } = await openFake();
  let read = 0;
  function* endless() {
    for (;;) yield dialogues[read++ % 4];
  }
  for await (const { index } of filterDialogues(model, endless(), { atOnce: 3, keep: {} })) if (index === 4) break;
  t.true(read <= 8);
  t.true(native.submitted.length <= 8);
});

test('aborting a run of rows throws the reason', async (t) => {
  const { model } = await openFake();
  const rows = filterDialogues(model, dialogues, { signal: AbortSignal.abort(new Error('enough')) });
  await t.throwsAsync(collect(rows), { message: 'enough' });
});
