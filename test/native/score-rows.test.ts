// Scoring rows on the real glue and engine, with the fake backend behind them.
import test from 'ava';
import { scoreRows } from '../../lib/batch/index.js';
import type { ScoreRow } from '../../lib/batch/index.js';
import { collect } from '../support/open-fake.js';
import { jsonLines, prepareJobs } from '../support/score-process.js';
import { openNative } from './open-native.js';

const questions = { kind: { type: 'labels', suffix: ' KIND', labels: { yes: ' 1', no: ' 0' } } } as const;

test('every row has the scores that it has alone, whatever is beside it', async (t) => {
  const model = await openNative('fake-rows-alone');
  const rows: ScoreRow[] = Array.from({ length: 60 }, (_, i) => ({
    id: `row-${i}`,
    context: `Context ${i % 7}`,
    continuations: [` a${i}`, ' b'].slice(0, 1 + (i % 2)),
  }));
  const results = await collect(scoreRows(model, rows, { ordered: true }));
  t.deepEqual(
    results.map(({ id }) => id),
    rows.map(({ id }) => id),
  );
  for (const { row, scores } of results)
    t.deepEqual(scores, await model.logLikelihood({ prompt: row.context! }, row.continuations!));
  await model.close();
});

test('questions are asked of every row; its own replace those of the options', async (t) => {
  const model = await openNative('fake-rows-questions');
  const own = { other: { type: 'boolean', instructions: 'Really?' } } as const;
  const rows: ScoreRow[] = [
    { text: 'One' },
    { id: 'm', messages: [{ role: 'user', content: 'Two' }], questions: own },
    { id: 3, text: 'Three', continuations: [' x'] },
  ];
  const [one, two, three] = await collect(scoreRows(model, rows, { questions, ordered: true }));
  t.is(one.id, 0);
  t.deepEqual(one.answers as object, await model.classify({ prompt: 'One' }, questions));
  t.deepEqual(two.answers as object, await model.classify({ messages: rows[1].messages! }, own));
  t.deepEqual([three.id, three.scores?.length, Object.keys(three.answers ?? {})], [3, 1, ['kind']]);
  await model.close();
});

test('what is wrong with a row is its result', async (t) => {
  const model = await openNative('fake-rows-wrong', { contextSize: 64 });
  const rows = [
    { id: 'none' },
    { id: 'both', context: 'a', text: 'b', continuations: ['c'] },
    { id: 'nothing asked', context: 'a' },
    { id: 'wrong', context: 'a', continuations: 'b' },
    { id: 'long', context: 'x'.repeat(100), continuations: ['y'] },
    { id: 'fine', context: 'a', continuations: ['b'] },
    { id: {}, context: 'a', continuations: ['b'] },
    null,
  ] as unknown as ScoreRow[];
  const results = await collect(scoreRows(model, rows, { ordered: true }));
  t.deepEqual(
    results.map(({ id, error }) => [id, error?.code]),
    [
      ['none', 'ERR_OPTION_VALUE'],
      ['both', 'ERR_OPTION_VALUE'],
      ['nothing asked', 'ERR_OPTION_VALUE'],
      ['wrong', 'ERR_OPTION_VALUE'],
      ['long', 'ERR_CONTEXT_OVERFLOW'],
      ['fine', undefined],
      [6, 'ERR_OPTION_VALUE'],
      [7, 'ERR_OPTION_VALUE'],
    ],
  );
  t.like(results[4].error, { class: 'ContextOverflowError', retries: 0 });
  t.regex(results[1].error!.message, /it has context and text/);
  await model.close();
});

const contextTokens = 40;
const contextOf = (i: number) => `${i} `.padEnd(contextTokens - 1, 'context '); // One more is <bos>.
const mostTokens = 1.2 * 20 * contextTokens; // That 20 contexts may take; a label of one token takes none.

/** 100 rows on each of 20 contexts, shuffled by Fisher and Yates with numbers of Lehmer's generator. */
function shuffledRows() {
  const rows = Array.from({ length: 2000 }, (_, i) => ({ id: i, context: contextOf(i % 20), continuations: ['b'] }));
  let state = 1;
  for (let i = rows.length - 1; i > 0; i--) {
    state = (state * 48_271) % 2_147_483_647;
    const j = state % (i + 1);
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
  return rows;
}

for (const window of [4096, 200]) {
  test(`2,000 shuffled rows on 20 contexts compute each context once within a window of ${window} rows`, async (t) => {
    const model = await openNative('fake-rows-shared', { cacheTokens: 2048 });
    const before = model.stats().evaluatedTokens;
    const results = await collect(scoreRows(model, shuffledRows(), { window }));
    t.is(results.filter(({ scores }) => scores).length, 2000);
    const evaluated = model.stats().evaluatedTokens - before;
    t.true(evaluated <= mostTokens, `${evaluated} tokens`);
    await model.close();
  });
}

test('winnow score computes the contexts of 2,000 shuffled rows once, too', async (t) => {
  const { write, run, inFolder } = await prepareJobs(t);
  await write('rows.jsonl', jsonLines(shuffledRows()));
  const { code, stdout } = await run(['score', '-i', inFolder('rows.jsonl'), '-o', inFolder('out.jsonl'), '--json']);
  t.is(code, 0);
  const { rows, tokens } = JSON.parse(stdout) as { rows: number; tokens: number };
  t.is(rows, 2000);
  t.true(tokens <= mostTokens, `${tokens} tokens`);
});

test('a closed model ends the iteration; a signal does, too', async (t) => {
  const model = await openNative('fake-rows-closed-delay-1');
  const rows = Array.from({ length: 100 }, (_, i) => ({ context: `Context ${i}`, continuations: [' a'] }));
  const controller = new AbortController();
  const stopped = collect(scoreRows(model, rows, { signal: controller.signal }));
  controller.abort(new Error('enough'));
  await t.throwsAsync(stopped, { message: 'enough' });
  const running = scoreRows(model, rows);
  await running.next();
  await model.close();
  await t.throwsAsync(collect(running), { code: 'ERR_MODEL_CLOSED' });
});
