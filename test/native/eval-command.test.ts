// winnow eval on the real glue and engine, with the fake backend behind them, in processes of their own.
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { BatchProgress } from '../../lib/batch/index.js';
import type { EvalResult } from '../../lib/eval/index.js';
import { evaluateFile } from '../../lib/eval/index.js';
import { evalSample } from '../support/eval-samples.js';
import { jsonLines, killAgainAndAgain, prepareJobs, removeOutput } from '../support/score-process.js';
import type { Ended } from '../support/score-process.js';

const items = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `q${i}`, question: `What is ${i} + 1?`, answer: String(i + 1) }));
const drawing = ['--samples', '2', '--max-tokens', '12', '--seed', '3'];

test('a result has figures with intervals, hashes, options, version and rows', async (t) => {
  const { run, read, inFolder, model } = await prepareJobs(t);
  const args = ['eval', 'truthfulqa', '--data', evalSample('truthfulqa'), '--output', inFolder('out.json')];
  const ended = await run(args);
  t.is(ended.code, 0, ended.stderr);
  t.regex(ended.stdout, /^truthfulqa, 4 items\n\n {2}mc1 {2}\S+ \(\S+–\S+\), 4 items\n {2}mc2/);
  const result = JSON.parse(await read('out.json')) as EvalResult;
  const head = ['winnow', 'model', 'judge', 'data', 'task', 'options', 'items', 'errors', 'metrics', 'groups', 'rows'];
  t.deepEqual(Object.keys(result), head);
  t.is(result.model.source, model);
  t.regex(result.model.sha256.join(), /^[0-9a-f]{64}$/);
  t.regex(result.data.sha256, /^[0-9a-f]{64}$/);
  t.deepEqual(result.options, { seed: 0, samples: 1, temperature: null, topP: 1, maxTokens: null });
  t.deepEqual(
    result.rows.map(({ id }) => id),
    ['t1', 't2', 't3', 't4'],
  );
  const again = await run([...args, '--json']);
  const { rows: _, ...figures } = result;
  t.deepEqual(JSON.parse(again.stdout), figures);
});

/** Kills that one run survives here, and in the long form of the test. */
const kills = Number(process.env.WINNOW_TEST_KILLS || 3);

test.serial('an evaluation that is killed again and again ends with the same file', async (t) => {
  t.timeout(3_600_000);
  const { write, start, run, read, inFolder } = await prepareJobs(t, { name: 'fake-delay-2' });
  const prompts = Array.from({ length: 400 }, (_, i) => ({ id: `p${i}`, prompt: `Prompt ${i}`, group: `g${i % 3}` }));
  await write('items.jsonl', jsonLines([...prompts, { id: 'wrong' }]));
  await write('letters.mjs', 'export default (text) => text.split("e").length;');
  const how = ['--classifier', inFolder('letters.mjs'), '--temperature', '1', '--max-tokens', '12', '--seed', '3'];
  const args = (output: string) => ['eval', 'bold', '-d', inFolder('items.jsonl'), '-o', inFolder(output), ...how];
  const began = performance.now();
  t.is((await run(args('whole.json'))).code, 3);
  const took = performance.now() - began;
  const expectWhole = async ({ code, stderr }: Ended) => {
    t.is(code, 3, stderr);
    t.is(await read('out.json'), await read('whole.json'));
  };
  const onEnd = async (ended: Ended) => {
    await expectWhole(ended);
    for (const file of ['out.json', 'out.json.rows.jsonl']) await removeOutput(inFolder(file));
  };
  await killAgainAndAgain(() => start(args('out.json')), { kills, withinMs: took, onEnd });
  await expectWhole(await run(args('out.json')));
});

test('SIGTERM keeps what is done, and says how to go on', async (t) => {
  const { write, start, run, read, inFolder } = await prepareJobs(t, { name: 'fake-delay-10' });
  await write('items.jsonl', jsonLines(items(16)));
  const args = ['eval', 'gsm8k', '-d', inFolder('items.jsonl'), '-o', inFolder('out.json'), ...drawing];
  const { child, ended } = start(args);
  while (!existsSync(inFolder('out.json.rows.jsonl.journal'))) await delay(20);
  child.kill('SIGTERM');
  const stopped = await ended;
  t.is(stopped.code, 130);
  t.regex(stopped.stderr, /interrupted\. What has been written is kept/);
  t.false(existsSync(inFolder('out.json')));
  t.is((await run(args)).code, 0);
  t.is((JSON.parse(await read('out.json')) as EvalResult).rows.length, 16);
});

test('progress is the share of the items that have ended', async (t) => {
  const { inFolder, model } = await prepareJobs(t);
  const shares: number[] = [];
  const options = {
    data: evalSample('toxigen'),
    output: inFolder('out.json'),
    limit: 3,
    load: { cacheFolder: inFolder('.') },
  };
  const onProgress = ({ share }: BatchProgress) => shares.push(share!);
  await evaluateFile({ task: 'toxigen', model, ...options, onProgress });
  t.deepEqual(shares, shares.toSorted());
  t.true(shares.every((share) => [1 / 3, 2 / 3, 1].includes(share)));
  t.is(shares.at(-1), 1);
});

test('other data, options or models are refused unless forced', async (t) => {
  const { write, run, inFolder } = await prepareJobs(t);
  await write('items.jsonl', jsonLines(items(3)));
  const args = ['eval', 'gsm8k', '-d', inFolder('items.jsonl'), '-o', inFolder('out.json'), '--max-tokens', '4'];
  t.is((await run(args)).code, 0);
  const seeded = await run([...args, '--seed', '1']);
  t.is(seeded.code, 1);
  t.regex(seeded.stderr, /seed differs/);
  const task = await run(['eval', 'hhh', ...args.slice(2)]);
  t.regex(task.stderr, /it was written by winnow eval gsm8k/);
  t.is((await run([...args, '--seed', '1', '--force'])).code, 0);
});

test('a classifier is a module of one’s own', async (t) => {
  const { write, run, read, inFolder } = await prepareJobs(t);
  await write('length.mjs', 'export default (text, prompt) => text.length - prompt.length;');
  await write('none.mjs', 'export const length = 1;');
  const args = ['eval', 'bold', '-d', evalSample('bold'), '-o', inFolder('out.json'), '--max-tokens', '5'];
  const ended = await run([...args, '--classifier', inFolder('length.mjs')]);
  t.is(ended.code, 0, ended.stderr);
  t.is((JSON.parse(await read('out.json')) as EvalResult).metrics.meanSentiment.value, 5);
  const none = await run([...args, '--classifier', inFolder('none.mjs'), '--force']);
  t.is(none.code, 1);
  t.regex(none.stderr, /must have a function as its default export/);
});

test('wrong usage is status 2; data that can’t be read is status 1', async (t) => {
  const { run, inFolder } = await prepareJobs(t);
  t.is((await run(['eval', 'none', '-d', 'x', '-o', 'y'])).code, 2);
  t.is((await run(['eval', 'hhh', '-d', 'x'])).code, 2);
  t.is((await run(['eval', 'hhh', '-d', evalSample('hhh'), '-o', inFolder('y'), '--samples', '0'])).code, 2);
  const missing = await run(['eval', 'hhh', '-d', inFolder('none.jsonl'), '-o', inFolder('y')]);
  t.is(missing.code, 1);
  t.regex(missing.stderr, /none\.jsonl can't be read: ENOENT/);
});
