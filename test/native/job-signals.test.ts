// winnow score and winnow batch that are interrupted, stopped for a while, or whose clock jumps.
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { jsonLines, prepareJobs } from '../support/score-process.js';

/** How long a process is stopped here, and in the long form of the test. */
const stopMs = Number(process.env.WINNOW_TEST_STOP_MS || 3000);

const rowCount = 600;
const messages = (i: number) => [{ role: 'user', content: `Row ${i}` }]; // Their template is rendered in a worker.
const scored = Array.from({ length: rowCount }, (_, i) => ({
  id: i,
  messages: messages(i),
  continuations: [` a${i}`],
}));
const requests = Array.from({ length: rowCount / 2 }, (_, i) => ({
  custom_id: `r${i}`,
  method: 'POST',
  url: '/v1/chat/completions',
  body: { messages: messages(i), max_tokens: 8, seed: i },
}));
// Scoring takes fewer steps: each is the longer, so that there is time to befall it.
const jobs = {
  score: { rows: scored, how: [], model: 'fake-delay-200' },
  batch: { rows: requests, how: ['--openai', '--ordered'], model: 'fake-delay-40' },
};

/** A job of some seconds; `journal` grows while it runs. */
async function prepare(t: Parameters<typeof prepareJobs>[0], command: 'score' | 'batch') {
  const { rows, how, model } = jobs[command];
  const prepared = await prepareJobs(t, { name: model });
  await prepared.write('rows.jsonl', jsonLines(rows));
  const { inFolder, run, read } = prepared;
  const args = (output: string) => [command, '-i', inFolder('rows.jsonl'), '-o', inFolder(output), ...how];
  const journal = inFolder(command === 'score' ? 'out.jsonl' : 'out.jsonl.journal');
  const hasRows = async () => existsSync(journal) && (await stat(journal)).size > 0;
  const plain = async (file: string) =>
    (await read(file))
      .replaceAll(/"created":\d+/g, '"created":0')
      .split('\n')
      .toSorted();
  t.is((await run(args('whole.jsonl'))).code, 0);
  return {
    ...prepared,
    args,
    plain,
    untilRows: async () => {
      while (!(await hasRows())) await delay(20);
    },
  };
}

for (const command of ['score', 'batch'] as const) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test.serial(
      `${signal} ends winnow ${command} with 130 and what was written; the same command goes on`,
      async (t) => {
        const { start, run, args, plain, untilRows } = await prepare(t, command);
        const { child, ended } = start(args('out.jsonl'));
        await untilRows();
        child.kill(signal);
        const { code, stderr } = await ended;
        t.is(code, 130, stderr);
        t.regex(stderr, /winnow: interrupted\. What has been written is kept: run the same command again/);
        const last = await run(args('out.jsonl'));
        t.is(last.code, 0, last.stderr);
        t.regex(last.stderr, / were there/);
        t.deepEqual(await plain('out.jsonl'), await plain('whole.jsonl'));
      },
    );
  }

  test.serial(`winnow ${command} that is stopped for a while goes on as if nothing had been`, async (t) => {
    t.timeout(stopMs + 300_000);
    const { start, run, args, plain, untilRows } = await prepare(t, command);
    const { child, ended } = start(args('out.jsonl'));
    await untilRows();
    child.kill('SIGSTOP');
    await delay(stopMs);
    t.regex((await run(args('out.jsonl'))).stderr, /Another process is writing/, 'its lock does not age');
    child.kill('SIGCONT');
    const { code, stderr } = await ended;
    t.is(code, 0, stderr);
    t.deepEqual(await plain('out.jsonl'), await plain('whole.jsonl'));
  });

  test.serial(`clocks that jump an hour ahead and back change nothing: winnow ${command}`, async (t) => {
    const { start, run, args, plain, untilRows } = await prepare(t, command);
    const first = start(args('out.jsonl'), '', { jumpingClock: true });
    await untilRows();
    first.child.kill('SIGSTOP'); // Not at its end before the other has begun.
    const other = await run(args('out.jsonl'), '', { jumpingClock: true });
    t.regex(other.stderr, /Another process is writing/, 'its lock does not age');
    first.child.kill('SIGKILL');
    await first.ended;
    const { code, stderr } = await run(args('out.jsonl'), '', { jumpingClock: true });
    t.is(code, 0, stderr);
    t.regex(stderr, /\d % · .* rows\/s/, 'a jump is an occasion for a line of progress');
    t.notRegex(stderr, /NaN|Infinity|-\d/);
    t.deepEqual(await plain('out.jsonl'), await plain('whole.jsonl'));
  });
}
