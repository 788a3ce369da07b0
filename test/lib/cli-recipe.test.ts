import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { prepareWinnow } from '../support/run-winnow.js';

test('recipe shows events as they come, then the result, and what it took on standard error', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const { code, stdout, stderr } = await run(['recipe', 'best-of-n', '--model', model, '--count', '2', '--seed', '4']);
  t.is(code, 0, stderr);
  t.regex(stdout, /^candidate +candidate 0 · text Answer number 0\n/);
  t.regex(stdout, /\nscore +item candidate 0 · scores \{"reward":/);
  t.notRegex(stdout, /\nfinish/);
  t.regex(stdout, /\n\{\n {2}"chosen": \{/);
  t.regex(stderr, /draws, questions and calls in \d+ requests; .* generated; 1 dropped; /);
  t.regex(stderr, /seed 4\n$/);
});

test('recipe --json prints one line with the report', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const { stdout } = await run(['recipe', 'grade', '--model', model, '--json', '--seed', '4']);
  t.is(stdout.trimEnd().split('\n').length, 1);
  const { grade, report } = JSON.parse(stdout) as { grade: number; report: { seed: number; asked: unknown[] } };
  t.true(grade >= 0 && grade <= 3);
  t.is(report.seed, 4);
  t.is(report.asked.length, 1);
});

test('recipe prints the rows of a data set, a line each', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const { stdout, stderr } = await run(['recipe', 'lamda-filter', '--model', model, '--count', '3']);
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { index: number; kept: boolean });
  t.deepEqual(
    rows.map(({ index }) => index),
    [0, 1, 2],
  );
  t.regex(stderr, /3 rows\n$/);
});

test('recipe takes wordings from a file like the one that it prints', async (t) => {
  const { folder, model, run } = await prepareWinnow(t);
  const { stdout } = await run(['recipe', 'compare', '--print-prompts']);
  const prompts = JSON.parse(stdout) as Record<string, string | string[]>;
  t.true(Array.isArray(prompts['pair']));
  const file = path.join(folder, 'mine.json');
  await writeFile(file, JSON.stringify({ ...prompts, grade: 'Good?' }));
  t.is((await run(['recipe', 'compare', '--model', model, '--prompts', file])).code, 0);
  await writeFile(file, JSON.stringify({ pear: 'x' }));
  const wrong = await run(['recipe', 'compare', '--model', model, '--prompts', file]);
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /Unknown option prompts\.pear\. Did you mean pair\?/);
  t.is((await run(['recipe', 'grade', '--print-prompts'])).code, 2);
});

test('recipe knows its names, and --help tells what they are', async (t) => {
  const { run } = await prepareWinnow(t);
  const { code, stderr } = await run(['recipe', 'gpt']);
  t.is(code, 2);
  t.regex(stderr, /Allowed choices are lamda-tools, lamda-filter, sparrow,/);
  const { stdout } = await run(['recipe', '--help']);
  t.regex(stdout, /\n {2}self-consistency +Self-consistency: 40 reasoning paths vote/);
});
