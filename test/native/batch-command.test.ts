// winnow batch on the real glue and engine, with the fake backend behind them, in processes of their own.
import { existsSync } from 'node:fs';
import test from 'ava';
import { jsonLines, killAgainAndAgain, prepareJobs, removeOutput } from '../support/score-process.js';
import type { Ended } from '../support/score-process.js';

interface Result {
  id: string;
  text?: string;
  reason?: string;
  seed?: number;
  tokens?: number;
  error?: { code: string };
  [field: string]: unknown;
}

interface Response {
  id: string;
  custom_id: string | null;
  line?: number;
  response: { status_code: number; request_id: string; body: Record<string, unknown> };
  error: { code: string; message: string } | null;
}

const parse = <Row>(lines: string[]) => lines.map((line) => JSON.parse(line) as Row);
const rowsOf = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `r${i}`, prompt: `Row ${i} is` }));
const requestOf = (custom_id: string, body: object, url = '/v1/chat/completions') => ({
  custom_id,
  method: 'POST',
  url,
  body,
});
const messages = [{ role: 'user', content: 'Hi' }];
/** Kills that one run survives here, and in the long form of the test. */
const kills = Number(process.env.WINNOW_TEST_KILLS || 3);
const killRows = Number(process.env.WINNOW_TEST_KILL_ROWS || 300);

test('rows become answers, drawn with what the row says, else the command', async (t) => {
  const { write, run, lines, inFolder } = await prepareJobs(t);
  const rows = [
    { id: 'a', prompt: 'One', tag: 1 },
    { id: 'b', messages, maxTokens: 3, seed: 5 },
    { id: 'c' },
    { id: 'd', prompt: 'x', messages },
    { id: 'e', prompt: 'x', temperature: -1 },
    { id: 'f', prompt: 'Two', choices: ['yes', 'no'] },
  ];
  await write('rows.jsonl', jsonLines(rows));
  const args = [
    'batch',
    '-i',
    inFolder('rows.jsonl'),
    '-o',
    inFolder('out.jsonl'),
    '--max-tokens',
    '4',
    '--ordered',
    '--keep',
    'tag',
  ];
  const ended = await run(args);
  t.is(ended.code, 3, ended.stderr);
  t.is(ended.stdout, '');
  t.regex(ended.stderr, /6 rows answered, 3 with an error/);
  const [a, b, c, d, e, f] = parse<Result>(await lines('out.jsonl'));
  t.like(a, { id: 'a', tag: 1, reason: 'length', tokens: 4 });
  t.deepEqual(Object.keys(a), ['id', 'tag', 'text', 'reason', 'seed', 'tokens']);
  t.like(b, { tokens: 3, seed: 5 });
  t.deepEqual(
    [c, d, e].map(({ error }) => error?.code),
    ['ERR_OPTION_VALUE', 'ERR_OPTION_VALUE', 'ERR_OPTION_VALUE'],
  );
  t.true(['yes', 'no'].some((choice) => choice.startsWith(f.text!)));
  t.regex((await run(args)).stderr, /was finished/);
});

test('the same seed gives the same answers; every row has a seed of its own', async (t) => {
  const { write, run, read, lines, inFolder } = await prepareJobs(t);
  await write('rows.jsonl', jsonLines(Array.from({ length: 4 }, (_, i) => ({ id: i, prompt: 'The same' }))));
  const batch = (output: string, ...more: string[]) =>
    run(['batch', '-i', inFolder('rows.jsonl'), '-o', inFolder(output), '--ordered', '--max-tokens', '8', ...more]);
  await batch('one.jsonl');
  await batch('two.jsonl');
  await batch('seeded.jsonl', '--seed', '1');
  t.is(await read('one.jsonl'), await read('two.jsonl'));
  t.not(await read('one.jsonl'), await read('seeded.jsonl'));
  t.is(new Set(parse<Result>(await lines('one.jsonl')).map(({ text }) => text)).size, 4);
});

test('the lamda recipe chooses among scored answers', async (t) => {
  const { write, run, lines, inFolder } = await prepareJobs(t);
  await write('rows.jsonl', jsonLines([{ id: 'a', messages }, { id: 'b' }]));
  const args = ['batch', '--recipe', 'lamda', '-n', '3', '-i', inFolder('rows.jsonl'), '-o', inFolder('out.jsonl')];
  const ended = await run([...args, '--max-tokens', '6', '--ordered']);
  t.is(ended.code, 3, ended.stderr);
  const [a, b] = parse<Result>(await lines('out.jsonl'));
  t.deepEqual(Object.keys(a.scores as object), ['sensible', 'specific', 'interesting', 'unsafe']);
  t.true(['chosen', 'none-passed'].includes(a.outcome as string));
  t.is(typeof a.text, 'string');
  t.is(b.error?.code, 'ERR_OPTION_VALUE');
});

test('OpenAI Batch files: responses in the output, failures in the error file', async (t) => {
  const { write, run, lines, inFolder } = await prepareJobs(t);
  const requests = [
    requestOf('chat', { model: 'tiny', messages, max_tokens: 5 }),
    requestOf('text', { prompt: ['a', 'b'], max_tokens: 3 }, '/v1/completions'),
    requestOf('vectors', { input: 'x' }, '/v1/embeddings'),
    requestOf('wrong', { messages, n: -1 }),
    { ...requestOf('get', { messages }), method: 'GET' },
    requestOf('chat', { messages }),
  ];
  await write('in.jsonl', `${jsonLines(requests)}{"custom_id":\n`);
  const args = ['batch', '--openai', '-i', inFolder('in.jsonl'), '-o', inFolder('out.jsonl'), '--ordered'];
  const ended = await run(args);
  t.is(ended.code, 3, ended.stderr);
  const results = parse<Response>(await lines('out.jsonl'));
  t.deepEqual(
    results.map(({ custom_id, response, error }) => [custom_id, response.status_code, error]),
    [
      ['chat', 200, null],
      ['text', 200, null],
    ],
  );
  t.like(results[0].response.body, { object: 'chat.completion', model: 'tiny' });
  t.is((results[1].response.body['choices'] as object[]).length, 2);
  t.regex(results[0].id, /^batch_req_[0-9a-f]{24}$/);
  const failures = parse<Response>(await lines('out.jsonl.errors.jsonl'));
  t.deepEqual(
    failures.map(({ custom_id, line, response, error }): unknown[] => [
      custom_id,
      line,
      response.status_code,
      error?.code,
    ]),
    [
      ['vectors', undefined, 400, 'ERR_UNSUPPORTED'],
      ['wrong', undefined, 400, 'ERR_OPTION_VALUE'],
      ['get', undefined, 400, 'ERR_OPTION_VALUE'],
      ['chat', 6, 400, 'ERR_ROW_DUPLICATE'],
      [null, 7, 400, 'ERR_ROW_JSON'],
    ],
  );
  t.false(existsSync(inFolder('out.jsonl.journal')));
  const again = await run(args);
  t.is(again.code, 3);
  t.regex(again.stderr, /was finished: 7 rows, 5 with an error/);
});

for (const format of ['rows', 'openai'] as const) {
  test.serial(`a job that is killed again and again loses nothing and repeats nothing: ${format}`, async (t) => {
    t.timeout(3_600_000);
    const { write, start, run, lines, read, inFolder } = await prepareJobs(t, { name: 'fake-delay-2' });
    const requests = rowsOf(killRows).map(({ id, prompt }) =>
      requestOf(id, { prompt, max_tokens: 16, seed: 1 }, '/v1/completions'),
    );
    await write('in.jsonl', jsonLines(format === 'rows' ? rowsOf(killRows) : requests));
    const how = format === 'rows' ? ['--max-tokens', '16'] : ['--openai', '--ordered'];
    const args = (output: string) => ['batch', '-i', inFolder('in.jsonl'), '-o', inFolder(output), ...how];
    const began = performance.now();
    t.is((await run(args('whole.jsonl'))).code, 0);
    const took = performance.now() - began;
    // OpenAI's `created` is when the job was begun: of two jobs it differs.
    const plain = (text: string) => text.replaceAll(/"created":\d+/g, '"created":0');
    const expectWhole = async ({ code, stderr }: Ended) => {
      t.is(code, 0, stderr);
      if (format === 'openai') t.is(plain(await read('out.jsonl')), plain(await read('whole.jsonl')));
      else t.deepEqual((await lines('out.jsonl')).toSorted(), (await lines('whole.jsonl')).toSorted());
      t.is(new Set(await lines('out.jsonl')).size, killRows);
    };
    const onEnd = async (ended: Ended) => {
      await expectWhole(ended);
      await removeOutput(inFolder('out.jsonl'));
    };
    await killAgainAndAgain(() => start(args('out.jsonl')), { kills, withinMs: took, onEnd });
    await expectWhole(await run(args('out.jsonl')));
  });
}

test('wrong usage is status 2', async (t) => {
  const { write, run, inFolder } = await prepareJobs(t);
  await write('rows.jsonl', jsonLines(rowsOf(1)));
  const args = ['batch', '-i', inFolder('rows.jsonl'), '-o', inFolder('out.jsonl')];
  for (const wrong of [
    ['--recipe', 'none'],
    ['--openai', '--recipe', 'lamda'],
    ['--errors', 'x'],
    ['--keep', 'text'],
    ['--candidates', '0'],
  ])
    t.is((await run([...args, ...wrong])).code, 2, wrong.join(' '));
});
