// winnow score and winnow batch on disks that are full or broken: a clean stop that says how to go on, and the same
// command then ends with the results of a run that nothing befell.
import { existsSync } from 'node:fs';
import { readFile, readdir, truncate } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import type { Fault } from '../support/faulty-files.js';
import { jsonLines, prepareJobs } from '../support/score-process.js';

type Jobs = Awaited<ReturnType<typeof prepareJobs>>;

const rowCount = 900; // Some 130 KB of results: several writes.
const prompts = (i: number) => `Row ${i % 9} is`;
const scoreRows = Array.from({ length: rowCount }, (_, i) => ({
  id: `r${i}`,
  context: prompts(i),
  continuations: [` a${i}`, ' b'],
}));
const openAiRows = Array.from({ length: rowCount }, (_, i) => ({
  custom_id: `r${i}`,
  method: 'POST',
  url: '/v1/completions',
  body: { prompt: prompts(i), max_tokens: 2, seed: i },
}));
const answeredRows = Array.from({ length: rowCount }, (_, i) => ({ id: `r${i}`, prompt: prompts(i), maxTokens: 2 }));

interface Job {
  args: string[];
  rows: object[];
  output: string;
}
const score: Job = { args: ['score'], rows: scoreRows, output: 'out.jsonl' };
const ordered: Job = { ...score, args: ['score', '--ordered'] };
const csv: Job = { ...ordered, output: 'out.csv.gz' };
const parquet: Job = { ...ordered, output: 'out.parquet' };
const batch: Job = { args: ['batch'], rows: answeredRows, output: 'out.jsonl' };
const openAi: Job = { args: ['batch', '--openai', '--ordered'], rows: openAiRows, output: 'out.jsonl' };

/** `kept`: rows were written before, and are not computed again; undefined = by chance. `first`: the faults of a run before this one. */
interface Case {
  job: Job;
  faults: Fault[];
  says: RegExp;
  kept?: boolean;
  first?: Fault[];
}

const fullDisk = { on: 'write', code: 'ENOSPC' } as const;
const brokenDisk = { on: 'write', code: 'EIO' } as const;
const noRoom = (file: string) => new RegExp(`${file} can't be written: ENOSPC.* Make room on its disk\\.`);
const broken = (file: string, what: string) => new RegExp(`${file} can't be ${what}: EIO`);
const stopped = [{ ...fullDisk, file: 'out.jsonl', after: 100_000 }]; // Leaves an output of a part of the rows.

const cases: Record<string, Case> = {
  'the disk of the output is full': { job: score, faults: stopped, says: noRoom('out.jsonl'), kept: true },
  'the disk of the output is full, after short writes': {
    job: score,
    faults: [{ ...fullDisk, file: 'out.jsonl', after: 100_000, longest: 1001 }],
    says: noRoom('out.jsonl'),
    kept: true,
  },
  'the disk of an output of answers is full': {
    job: batch,
    faults: [{ ...fullDisk, file: 'out.jsonl', after: 70_000 }],
    says: noRoom('out.jsonl'),
    kept: true,
  },
  'the disk of the journal is full': {
    job: ordered,
    faults: [{ ...fullDisk, file: 'out.jsonl.journal', after: 100_000 }],
    says: noRoom('out.jsonl.journal'),
    kept: true,
  },
  'the disk of the journal of an OpenAI Batch is full': {
    job: openAi,
    faults: [{ ...fullDisk, file: 'out.jsonl.journal', after: 100_000 }],
    says: noRoom('out.jsonl.journal'),
    kept: true,
  },
  'the disk is full when the output is made': {
    job: openAi,
    faults: [{ ...fullDisk, file: 'out.jsonl.part', after: 50_000 }],
    says: noRoom('out.jsonl'),
    kept: true,
  },
  'the disk is full when a compressed output is made': {
    job: csv,
    faults: [{ ...fullDisk, file: 'out.csv.gz.part', after: 2000 }],
    says: noRoom('out.csv.gz'),
    kept: true,
  },
  'the disk is full when a Parquet file is made': {
    job: parquet,
    faults: [{ ...fullDisk, file: 'out.parquet.part', after: 2000 }],
    says: noRoom('out.parquet'),
    kept: true,
  },
  'there is no room for the sidecar': {
    job: score,
    faults: [{ ...fullDisk, file: '.state.json.part', after: 10 }],
    says: noRoom('out.jsonl.state.json'),
    kept: false,
  },
  'there is no room for the sidecar of a job that is done': {
    job: ordered,
    faults: [{ ...fullDisk, file: '.state.json.part', opening: 2 }],
    says: noRoom('out.jsonl.state.json'),
    kept: true,
  },
  'there is no room for the lock': {
    job: score,
    faults: [{ on: 'open', code: 'ENOSPC', file: '.lock' }],
    says: noRoom('out.jsonl.lock'),
    kept: false,
  },
  'the disk of the output breaks': {
    job: score,
    faults: [{ ...brokenDisk, file: 'out.jsonl', after: 100_000 }],
    says: broken('out.jsonl', 'written'),
    kept: true,
  },
  'the disk of the output takes nothing for good': {
    job: score,
    faults: [{ on: 'sync', code: 'EIO', file: 'out.jsonl' }],
    says: broken('out.jsonl', 'written'),
    kept: false, // What may be lost is computed again.
  },
  'the input can’t be read': {
    job: score,
    faults: [{ on: 'read', code: 'EIO', file: 'rows.jsonl' }],
    says: broken('rows.jsonl', 'read'),
    kept: false,
  },
  'the input can’t be read to its end': {
    job: openAi,
    faults: [{ on: 'read', code: 'EIO', file: 'rows.jsonl', opening: 2, after: 60_000 }], // The first gives the hash.
    says: broken('rows.jsonl', 'read'),
    kept: undefined,
  },
  'the model can’t be read': {
    job: score,
    faults: [{ on: 'read', code: 'EIO', file: '.gguf', opening: 3 }], // Behind the checks: for its hash.
    says: broken('fake.gguf', 'read'),
    kept: false,
  },
  'the output can’t be read back': {
    job: score,
    first: stopped,
    faults: [{ on: 'read', code: 'EIO', file: 'out.jsonl', after: 50_000 }],
    says: broken('out.jsonl', 'read'),
    kept: true,
  },
  'the sidecar can’t be read': {
    job: score,
    first: stopped,
    faults: [{ on: 'read', code: 'EIO', file: '.state.json' }],
    says: broken('out.jsonl.state.json', 'read'),
    kept: true,
  },
  'the journal can’t be read when the output is made': {
    job: ordered,
    faults: [{ on: 'read', code: 'EIO', file: '.journal', opening: 4, after: 1000 }], // Open, read, index, and now rows.
    says: broken('out.jsonl', 'written'),
    kept: true,
  },
};

const argsOf = ({ args, output }: Job, { inFolder }: Jobs, name = output) => [
  ...args,
  '-i',
  inFolder('rows.jsonl'),
  '-o',
  inFolder(name),
];

const wholes = new Map<Job, Promise<string>>();

/** What a run that nothing befell makes: of every job there is one. `plain()` brings two outputs into the same words. */
async function uninterrupted(t: ExecutionContext, job: Job, jobs: Jobs): Promise<string> {
  await jobs.write('rows.jsonl', jsonLines(job.rows));
  if (!wholes.has(job)) wholes.set(job, runWhole(t, job, jobs));
  return wholes.get(job)!;
}

async function runWhole(t: ExecutionContext, job: Job, jobs: Jobs): Promise<string> {
  const { code, stderr } = await jobs.run(argsOf(job, jobs, `whole-${job.output}`));
  t.is(code, 0, stderr);
  return plain(job, jobs, `whole-${job.output}`);
}

async function plain({ args }: Job, { inFolder }: Jobs, name: string): Promise<string> {
  const isBinary = !name.endsWith('.jsonl');
  const text = (await readFile(inFolder(name))).toString(isBinary ? 'base64' : 'utf8');
  if (args.includes('--ordered')) return text.replaceAll(/"created":\d+/g, '"created":0');
  return text.split('\n').toSorted().join('\n');
}

async function expectTheSame(t: ExecutionContext, job: Job, jobs: Jobs, whole: string): Promise<string> {
  const { code, stderr } = await jobs.run(argsOf(job, jobs));
  t.is(code, 0, stderr);
  t.true((await plain(job, jobs, job.output)) === whole, 'the result is that of an uninterrupted run');
  const left = (await readdir(jobs.folder)).filter((name) => /\.(part|journal|lock)$/.test(name));
  t.deepEqual(left, []);
  return stderr;
}

for (const [what, { job, faults, says, kept, first }] of Object.entries(cases)) {
  test.serial(`${what}: the run stops and says how to go on, and the same command does`, async (t) => {
    const jobs = await prepareJobs(t);
    const whole = await uninterrupted(t, job, jobs);
    if (first) t.is((await jobs.run(argsOf(job, jobs), '', { faults: first })).code, 1);
    const { code, stdout, stderr } = await jobs.run(argsOf(job, jobs), '', { faults });
    t.is(code, 1, stderr);
    t.is(stdout, '');
    t.regex(stderr, says);
    t.regex(stderr, /run the same command again to go on from there\.\n$/);
    t.false(stderr.includes('    at '), 'no stack trace');
    t.deepEqual(
      (await readdir(jobs.folder)).filter((name) => /\.(part|lock)$/.test(name)),
      [],
    );
    const goneOn = await expectTheSame(t, job, jobs, whole);
    if (kept !== undefined) t.is(/ were there/.test(goneOn), kept, goneOn);
  });
}

for (const job of [score, openAi]) {
  test.serial(`short reads and writes change nothing: winnow ${job.args.join(' ')}`, async (t) => {
    const jobs = await prepareJobs(t);
    const whole = await uninterrupted(t, job, jobs);
    const faults: Fault[] = ['rows.jsonl', 'out.jsonl', 'out.jsonl.journal', 'out.jsonl.part'].flatMap((file) => [
      { file, on: 'read', longest: 911 },
      { file, on: 'write', longest: 911 },
    ]);
    const { code, stderr } = await jobs.run(argsOf(job, jobs), '', { faults });
    t.is(code, 0, stderr);
    t.true((await plain(job, jobs, job.output)) === whole);
  });

  test.serial(`a torn last line is cut: winnow ${job.args.join(' ')}`, async (t) => {
    const jobs = await prepareJobs(t, { name: 'fake-delay-100' });
    await jobs.write('rows.jsonl', jsonLines(job.rows));
    const whole = await runWhole(t, job, jobs);
    const { child, ended } = jobs.start(argsOf(job, jobs));
    const written = jobs.inFolder(job === score ? 'out.jsonl' : 'out.jsonl.journal');
    const length = async () => (existsSync(written) ? (await readFile(written)).length : 0);
    while ((await length()) === 0) await delay(20);
    child.kill('SIGKILL');
    t.is((await ended).signal, 'SIGKILL');
    await truncate(written, (await length()) - 30);
    t.regex(await expectTheSame(t, job, jobs, whole), / were there/);
  });
}

test.serial('a write that fails while the input is waited for is not forgotten when the input ends', async (t) => {
  const jobs = await prepareJobs(t);
  const rows = scoreRows.slice(0, 20);
  const args = ['score', '-i', '-', '-o', jobs.inFolder('out.jsonl')];
  const faults = [{ ...fullDisk, file: 'out.jsonl' }];
  const full = await jobs.run(args, jsonLines(rows), { faults, stdinHeldMs: 4000 });
  t.is(full.code, 1, full.stderr);
  t.regex(full.stderr, noRoom('out.jsonl'));
  t.is((await jobs.run(args, jsonLines(rows))).code, 0);
  t.is((await jobs.lines('out.jsonl')).length, 20);
});

if (existsSync('/dev/full')) {
  test.serial('results that standard output can’t take are a failure in one line', async (t) => {
    const jobs = await prepareJobs(t);
    for (const { args, rows } of [score, batch]) {
      const full = await jobs.run([...args, '-i', '-', '-o', '-'], jsonLines(rows), { stdoutFile: '/dev/full' });
      t.is(full.code, 1, full.stderr);
      t.regex(full.stderr, /winnow: standard output can't be written: ENOSPC[^\n]*\n$/);
    }
    const summary = ['score', '-i', '-', '-o', jobs.inFolder('out.jsonl'), '--json'];
    t.is((await jobs.run(summary, jsonLines(scoreRows), { stdoutFile: '/dev/full' })).code, 1);
    t.regex((await jobs.run(summary, jsonLines(scoreRows))).stdout, /"wasFinished":true/);
  });
}

for (const { args, rows } of [score, batch]) {
  test.serial(`a closed pipe harms no file: winnow ${args.join(' ')}`, async (t) => {
    const jobs = await prepareJobs(t);
    const early = jobs.start([...args, '-i', '-', '-o', '-'], jsonLines(rows));
    early.child.stdout!.once('data', () => early.child.stdout!.destroy());
    t.is((await early.ended).code, 0);
    const command = [...args, '-i', '-', '-o', jobs.inFolder('out.jsonl')];
    const { child, ended } = jobs.start([...command, '--json'], jsonLines(rows));
    child.stdout!.destroy(); // Nobody will read the summary.
    t.is((await ended).code, 0);
    t.is((await jobs.lines('out.jsonl')).length, rows.length);
    t.regex((await jobs.run(command, jsonLines(rows))).stderr, /was finished/);
  });
}
