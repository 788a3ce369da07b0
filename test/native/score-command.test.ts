// winnow score on the real glue and engine, with the fake backend behind them, in processes of their own.
import { existsSync } from 'node:fs';
import { appendFile, mkdir, open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { jsonLines, killAgainAndAgain, prepareJobs, removeOutput } from '../support/score-process.js';
import type { Ended } from '../support/score-process.js';

interface Result {
  id: string | number | null;
  line?: number;
  scores?: { logprob: number; tokens: number; isGreedy: boolean }[];
  answers?: Record<string, { type: string }>;
  error?: { class: string; code: string; message: string; retries: number };
  [field: string]: unknown;
}

const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `r${i}`,
    context: `Row ${i % 9} is`,
    continuations: [` a${i}`, ' b'],
  }));
const parse = (lines: string[]) => lines.map((line) => JSON.parse(line) as Result);

/** Kills that one run survives here, and in the long form of the test. */
const kills = Number(process.env.WINNOW_TEST_KILLS || 6);
const killRows = Number(process.env.WINNOW_TEST_KILL_ROWS || 800);

test('rows become scores; nothing but results goes to standard output', async (t) => {
  const { write, run, lines, inFolder } = await prepareJobs(t);
  await write('rows.jsonl', jsonLines([...rowsOf(30), { context: 'No id', continuations: [' c'] }]));
  const ended = await run(['score', '--input', inFolder('rows.jsonl'), '--output', inFolder('scores.jsonl')]);
  t.like(ended, { code: 0, stdout: '' });
  t.regex(ended.stderr, /31 rows scored; [\d,]+ tokens evaluated/);
  const results = parse(await lines('scores.jsonl'));
  t.is(results.length, 31);
  t.deepEqual(Object.keys(results[0].scores![0]), ['logprob', 'tokens', 'isGreedy']);
  t.deepEqual(
    results.filter(({ id }) => id === null).map(({ line }) => line),
    [31],
  );
  const piped = await run(['score', '-i', '-', '-o', '-'], jsonLines(rowsOf(3)));
  t.is(piped.code, 0);
  t.deepEqual(
    parse(piped.stdout.trimEnd().split('\n')).toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1)),
    results
      .filter(({ id }) => ['r0', 'r1', 'r2'].includes(String(id)))
      .toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1)),
  );
});

test('questions, kept fields, limit, shard and order', async (t) => {
  const { write, run, lines, inFolder } = await prepareJobs(t);
  const rows = Array.from({ length: 20 }, (_, i) => ({ id: i, text: `Row ${i}`, product: `p${i}`, other: 1 }));
  await write('rows.jsonl', jsonLines(rows));
  await write('questions.json', JSON.stringify({ kind: { type: 'boolean', instructions: 'Is it kind?' } }));
  const files = ['--input', inFolder('rows.jsonl'), '--questions', inFolder('questions.json')];
  const args = ['score', ...files, '--keep', 'product', '--limit', '15', '--shard', '2/3', '--ordered'];
  t.is((await run([...args, '--output', inFolder('out.jsonl')])).code, 0);
  const results = parse(await lines('out.jsonl'));
  t.deepEqual(
    results.map(({ id, product }) => [id, product]),
    [1, 4, 7, 10, 13].map((i) => [i, `p${i}`]),
  );
  t.is(results[0].answers!['kind'].type, 'boolean');
  t.deepEqual(Object.keys(results[0]), ['id', 'product', 'answers']);
  t.false(existsSync(inFolder('out.jsonl.journal')));
});

test('what is wrong with a row is a row: named by its line, and the exit code is 3', async (t) => {
  const { write, run, lines, inFolder } = await prepareJobs(t);
  const good = '{"id":"a","context":"x","continuations":["y"]}';
  const bad = [
    '{"id":',
    '[1]',
    '',
    good,
    '{"id":"b","context":"x"}',
    good,
    '{"id":{},"context":"x","continuations":["y"]}',
  ];
  await write(
    'rows.jsonl',
    Buffer.concat([Buffer.from(`${bad.join('\n')}\n`), Buffer.from([0xff, 0xfe, 0x0a, 0x00, 0x0a])]),
  );
  const args = ['score', '--ordered', '--input', inFolder('rows.jsonl'), '--output', inFolder('out.jsonl')];
  const ended = await run(args);
  t.is(ended.code, 3, ended.stderr);
  const results = parse(await lines('out.jsonl'));
  t.deepEqual(
    results.map(({ id, line, error }): unknown[] => [id, line, error?.code]),
    [
      [null, 1, 'ERR_ROW_JSON'],
      [null, 2, 'ERR_ROW_JSON'],
      ['a', undefined, undefined],
      ['b', undefined, 'ERR_OPTION_VALUE'],
      ['a', 6, 'ERR_ROW_DUPLICATE'],
      [{}, 7, 'ERR_OPTION_VALUE'],
      [null, 8, 'ERR_ROW_ENCODING'],
      [null, 9, 'ERR_ROW_ENCODING'],
    ],
  );
  t.regex(results[0].error!.message, /^Line 1 is not JSON/);
  const again = await run(args);
  t.is(again.code, 3);
  t.regex(again.stderr, /was finished: 8 rows, 7 with an error/);
  const strict = await run([
    'score',
    '--input',
    inFolder('rows.jsonl'),
    '--output',
    inFolder('few.jsonl'),
    '--max-errors',
    '1',
  ]);
  t.is(strict.code, 1);
  t.regex(strict.stderr, /2 rows have failed, 1 may/);
  const byLine = [...args.slice(0, -1), inFolder('line.jsonl'), '--duplicates', 'index'];
  t.is((await run(byLine)).code, 3);
  t.is(parse(await lines('line.jsonl')).filter(({ id, scores }) => id === 'a' && scores).length, 2);
});

test('CSV, Parquet and compressed files hold the same rows', async (t) => {
  const { write, run, read, lines, inFolder } = await prepareJobs(t);
  const rows = rowsOf(20).map((row, i) => ({ ...row, note: i % 2 ? 'with "quotes", and\nlines' : 'plain' }));
  await write('rows.jsonl', jsonLines(rows));
  await write('rows.jsonl.gz', gzipSync(jsonLines(rows)));
  const score = async (input: string, output: string) => {
    const args = ['score', '--keep', 'note', '--ordered', '--input', inFolder(input), '--output', inFolder(output)];
    const { code, stderr } = await run(args);
    t.is(code, 0, stderr);
  };
  await score('rows.jsonl', 'out.jsonl');
  await score('rows.jsonl.gz', 'out.jsonl.gz');
  t.is(gunzipSync(await readFile(inFolder('out.jsonl.gz'))).toString(), await read('out.jsonl'));
  await score('rows.jsonl', 'out.jsonl.zst');
  await score('rows.jsonl', 'out.csv');
  const [header, first] = (await read('out.csv')).split('\n');
  t.is(header.split(',').slice(0, 3).join(), 'id,note,scores.0.logprob');
  t.regex(first, /^r0,plain,-\d/);
  await score('rows.jsonl', 'out.parquet');
  const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet');
  const records = await parquetReadObjects({ file: await asyncBufferFromFile(inFolder('out.parquet')) });
  const expected = parse(await lines('out.jsonl'));
  t.deepEqual(
    records.map((record) => [record['id'], record['note'], record['scores.1.logprob']] as unknown[]),
    expected.map(({ id, note, scores }) => [id, note, scores![1].logprob]),
  );
  // What was written can be read: of tables, texts with JSON in them.
  const cells = rows.map(
    (row) => `${row.id},"${row.context}","${JSON.stringify(row.continuations).replaceAll('"', '""')}"\n`,
  );
  await write('rows.csv', `id,context,continuations\n${cells.join('')}`);
  t.is((await run(['score', '--ordered', '-i', inFolder('rows.csv'), '-o', inFolder('csv.jsonl')])).code, 0);
  t.deepEqual(
    parse(await lines('csv.jsonl')).map(({ id, scores }) => [id, scores]),
    expected.map(({ id, scores }) => [id, scores]),
  );
});

test('Zstandard and Parquet input is read', async (t) => {
  const { run, lines, inFolder, write } = await prepareJobs(t);
  const { compress } = await import('../../lib/batch/compression.js');
  const bytes: Buffer[] = [];
  const source = (async function* () {
    for (const row of rowsOf(200)) yield Buffer.from(jsonLines([row]));
  })();
  for await (const chunk of compress(source, 'zstd')) bytes.push(chunk);
  await write('rows.jsonl.zst', Buffer.concat(bytes));
  t.is((await run(['score', '-i', inFolder('rows.jsonl.zst'), '-o', inFolder('zst.jsonl')])).code, 0);
  t.is((await lines('zst.jsonl')).length, 200);
  const { parquetWriteFile } = await import('hyparquet-writer');
  parquetWriteFile({
    filename: inFolder('rows.parquet'),
    columnData: [
      { name: 'id', data: ['x', 'y'], type: 'STRING' },
      { name: 'context', data: ['One', 'Two'], type: 'STRING' },
      { name: 'continuations', data: [[' a'], [' b', ' c']], type: 'JSON' },
    ],
  });
  const ended = await run(['score', '-i', inFolder('rows.parquet'), '-o', inFolder('parquet.jsonl')]);
  t.is(ended.code, 0, ended.stderr);
  t.deepEqual(
    parse(await lines('parquet.jsonl'))
      .map(({ id, scores }) => [id, scores?.length])
      .toSorted(),
    [
      ['x', 1],
      ['y', 2],
    ],
  );
});

for (const ordered of [false, true]) {
  test.serial(
    `a job that is killed again and again loses nothing and repeats nothing${ordered ? ', in order' : ''}`,
    async (t) => {
      t.timeout(3_600_000);
      const { write, start, run, lines, read, inFolder } = await prepareJobs(t);
      await write('rows.jsonl', jsonLines(rowsOf(killRows)));
      const args = (output: string) => [
        'score',
        '-i',
        inFolder('rows.jsonl'),
        '-o',
        inFolder(output),
        ...(ordered ? ['--ordered'] : []),
      ];
      const began = performance.now();
      t.is((await run(args('whole.jsonl'))).code, 0);
      const took = performance.now() - began;
      const expectWhole = async ({ code, stderr }: Ended) => {
        t.is(code, 0, stderr);
        if (ordered) t.is(await read('out.jsonl'), await read('whole.jsonl'));
        else t.deepEqual((await lines('out.jsonl')).toSorted(), (await lines('whole.jsonl')).toSorted());
        t.is(new Set(parse(await lines('out.jsonl')).map(({ id }) => id)).size, killRows);
      };
      const onEnd = async (ended: Ended) => {
        await expectWhole(ended);
        await removeOutput(inFolder('out.jsonl'));
      };
      await killAgainAndAgain(() => start(args('out.jsonl')), { kills, withinMs: took, onEnd });
      await expectWhole(await run(args('out.jsonl')));
      t.regex((await run(args('out.jsonl'))).stderr, /was finished/);
    },
  );
}

test('a torn last line is cut; a line of something else is refused', async (t) => {
  const { write, run, lines, inFolder } = await prepareJobs(t);
  await write('rows.jsonl', jsonLines(rowsOf(10)));
  const args = ['score', '-i', inFolder('rows.jsonl'), '-o', inFolder('out.jsonl')];
  await run(args);
  const whole = await lines('out.jsonl');
  const state = JSON.parse(await readFile(inFolder('out.jsonl.state.json'), 'utf8')) as object;
  const reopen = () => writeFile(inFolder('out.jsonl.state.json'), JSON.stringify({ ...state, finished: false }));
  await reopen();
  await truncate(inFolder('out.jsonl'), (await stat(inFolder('out.jsonl'))).size - 20);
  t.is((await run(args)).code, 0);
  t.deepEqual((await lines('out.jsonl')).toSorted(), whole.toSorted());
  await reopen();
  await appendFile(inFolder('out.jsonl'), 'something else\n');
  const refused = await run(args);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /has a line that is no row of this job/);
});

test('an output of another job is refused unless it is forced', async (t) => {
  const { write, run, lines, inFolder } = await prepareJobs(t);
  await write('rows.jsonl', jsonLines(rowsOf(5)));
  const args = ['score', '-i', inFolder('rows.jsonl'), '-o', inFolder('out.jsonl')];
  t.is((await run(args)).code, 0);
  const options = await run([...args, '--limit', '3']);
  t.is(options.code, 1);
  t.regex(options.stderr, /belongs to another job: limit differs/);
  await write('rows.jsonl', jsonLines(rowsOf(7)));
  const input = await run(args);
  t.is(input.code, 1);
  t.regex(input.stderr, /the input has changed/);
  t.is((await run([...args, '--force'])).code, 0);
  t.is((await lines('out.jsonl')).length, 7);
  await write('foreign.jsonl', 'mine\n');
  const foreign = await run(['score', '-i', inFolder('rows.jsonl'), '-o', inFolder('foreign.jsonl')]);
  t.is(foreign.code, 1);
  t.regex(foreign.stderr, /nothing says that this job has written it/);
});

test('of two writers one is refused at once; a dead one is none; SIGTERM keeps the state', async (t) => {
  const { write, start, run, lines, inFolder } = await prepareJobs(t, { name: 'fake-delay-20' });
  await write('rows.jsonl', jsonLines(rowsOf(600)));
  const args = ['score', '-i', inFolder('rows.jsonl'), '-o', inFolder('out.jsonl')];
  const first = start(args);
  while (!existsSync(inFolder('out.jsonl'))) await delay(20);
  first.child.kill('SIGSTOP'); // Not dead, and not at its end before the second has begun.
  const second = await run(args);
  t.is(second.code, 1);
  t.regex(second.stderr, /Another process is writing .*out\.jsonl/);
  first.child.kill('SIGCONT');
  first.child.kill('SIGTERM');
  const ended = await first.ended;
  t.is(ended.code, 130);
  t.regex(ended.stderr, /interrupted\. What has been written is kept: run the same command again/);
  const third = start(args);
  await delay(600);
  third.child.kill('SIGKILL');
  await third.ended;
  const last = await run(args);
  t.is(last.code, 0, last.stderr);
  t.is((await lines('out.jsonl')).length, 600);
});

test('an output that can’t grow and an unreadable input stop the run, and say how to go on', async (t) => {
  const { write, run, lines, inFolder } = await prepareJobs(t);
  await write('rows.jsonl', jsonLines(rowsOf(50)));
  const args = ['score', '-i', inFolder('rows.jsonl'), '-o', inFolder('out.jsonl')];
  const full = await run(args, '', { maxFileBlocks: 4 }); // Half a line fits: it must be cut.
  t.is(full.code, 1);
  t.regex(full.stderr, /out\.jsonl can't be written: EFBIG.* run the same command again/);
  t.is((await run(args)).code, 0);
  t.is(new Set(parse(await lines('out.jsonl')).map(({ id }) => id)).size, 50);
  t.is((await lines('out.jsonl')).length, 50);
  await mkdir(inFolder('folder'));
  const device = await run(['score', '-i', inFolder('rows.jsonl'), '-o', inFolder('folder'), '--force']);
  t.is(device.code, 1);
  await write('torn.jsonl.gz', gzipSync(jsonLines(rowsOf(50))).subarray(0, 100));
  const torn = await run(['score', '-i', inFolder('torn.jsonl.gz'), '-o', inFolder('torn.jsonl')]);
  t.is(torn.code, 1);
  t.regex(torn.stderr, /torn\.jsonl\.gz can't be read: unexpected end of file\. .*run the same command again/);
  const none = await run(['score', '-i', inFolder('none.jsonl'), '-o', inFolder('none.out')]);
  t.is(none.code, 1);
  t.regex(none.stderr, /none\.jsonl can't be read: ENOENT/);
});

test('--dry-run counts and writes nothing; wrong usage is status 2', async (t) => {
  const { write, run, inFolder } = await prepareJobs(t);
  await write('rows.jsonl', jsonLines([...rowsOf(9), { id: 'bad' }]));
  const args = ['score', '-i', inFolder('rows.jsonl'), '-o', inFolder('out.jsonl')];
  const { code, stdout } = await run([...args, '--dry-run', '--json']);
  t.is(code, 0);
  const plan = JSON.parse(stdout) as { rows: number; errors: number; tokens: number; seconds: number };
  t.deepEqual([plan.rows, plan.errors, plan.tokens], [10, 1, 9 * ('Row 0 is'.length + ' a0'.length + ' b'.length)]);
  t.true(plan.seconds > 0);
  t.false(existsSync(inFolder('out.jsonl')));
  for (const wrong of [
    ['--shard', '3/2'],
    ['--shard', 'x'],
    ['--limit', '-1'],
    ['--keep', 'scores'],
    ['--duplicates', 'no'],
  ])
    t.is((await run([...args, ...wrong])).code, 2, wrong.join(' '));
  t.is((await run(['score', '-i', 'x'])).code, 2);
});

test('a reader that leaves early is no failure', async (t) => {
  const { start } = await prepareJobs(t);
  const { child, ended } = start(['score', '-i', '-', '-o', '-'], jsonLines(rowsOf(500)));
  child.stdout!.once('data', () => child.stdout!.destroy());
  t.is((await ended).code, 0);
});

test('the lock is the system’s: it is gone with its file handle', async (t) => {
  const { loadAddon } = await import('../../lib/addon.js');
  const { inFolder } = await prepareJobs(t);
  const [first, second] = [await open(inFolder('lock'), 'a'), await open(inFolder('lock'), 'a')];
  t.true(loadAddon().tryLockFile(first.fd));
  t.false(loadAddon().tryLockFile(second.fd));
  await first.close();
  t.true(loadAddon().tryLockFile(second.fd));
  await second.close();
});
