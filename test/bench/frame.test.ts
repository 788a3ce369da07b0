import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import type { FakeBehaviour } from '../support/fake-contender.js';
import type { Row, Scenario, Size } from '../support/load-bench.js';
import { loadBench, makeWorkload, scenarioNamed, scenarios } from '../support/load-bench.js';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Options {
  scenarios: string[];
  contenders: string[];
  runs: number;
  seed: number;
  threads?: number;
  size?: Record<string, number[]>;
}
interface Frame {
  parseOptions: (args: string[], known: Record<string, { name: string; isQuick: boolean }[]>) => Options;
  selectSizes: (scenario: Scenario, options: { quick?: boolean; size?: Record<string, number[]> }) => Size[];
  makeRows: (measured: object) => Row[];
  meanDistance: (ours: number[], theirs: (number | null)[]) => number;
  disagreements: (outputs: object) => string[];
  markdownReport: (rows: Row[]) => string;
  compareRows: (before: Row[], after: Row[]) => { ratio: number; noise: number; verdict: string }[];
  parseRows: (text: string) => Row[];
  measureCase: (given: object) => Promise<Row[]>;
  shapeOf: (workload: unknown) => Record<string, number>;
}

const frameFiles = ['options', 'rows', 'agreement', 'report', 'compare', 'measure', 'shape'];
const frame = await loadBench<Frame>(...frameFiles.map((name) => `frame/${name}.mjs`));
const fakeContender = fileURLToPath(new URL('../support/fake-contender.js', import.meta.url));

const known = {
  scenario: [
    { name: 'short', isQuick: true },
    { name: 'long', isQuick: false },
  ],
  contender: [
    { name: 'us', isQuick: true },
    { name: 'them', isQuick: false },
  ],
};

test('a full run has every scenario and contender and five runs, a quick one a part of them and one', (t) => {
  const { scenarios, contenders, runs, seed } = frame.parseOptions([], known);
  t.deepEqual(
    { scenarios, contenders, runs, seed },
    { scenarios: ['short', 'long'], contenders: ['us', 'them'], runs: 5, seed: 1 },
  );
  const quick = frame.parseOptions(['--quick'], known);
  t.deepEqual([quick.scenarios, quick.contenders, quick.runs], [['short'], ['us'], 1]);
});

test('lists, numbers and sizes are read from the command line', (t) => {
  const args = [
    '--scenario',
    'long, short',
    '--contender',
    'them',
    '--runs',
    '7',
    '--threads',
    '2',
    '--size',
    'streams=4:16,maxTokens=8',
  ];
  const options = frame.parseOptions([...args, '--quick'], known);
  t.deepEqual(options.scenarios, ['long', 'short']);
  t.deepEqual(options.contenders, ['them']);
  t.deepEqual([options.runs, options.threads], [7, 2]);
  t.deepEqual(options.size, { streams: [4, 16], maxTokens: [8] });
});

for (const [args, message] of [
  [['--scenario', 'short,nothing'], /no scenario 'nothing'.*short, long/],
  [['--contender', 'nobody'], /no contender 'nobody'/],
  [['--runs', '0'], /--runs must be an integer of at least 1, got '0'/],
  [['--threads', 'many'], /--threads must be an integer/],
  [['--size', 'streams'], /--size streams must be an integer/],
  [['--size', 'streams=4:x'], /--size streams must be an integer of at least 1, got 'x'/],
  [['--fast'], /--fast/],
] as const) {
  test(`${args.join(' ')} is refused with a sentence`, (t) => {
    t.throws(() => frame.parseOptions([...args], known), { message });
  });
}

test('a size that a scenario does not have is refused with the names that it has', (t) => {
  const streams = scenarioNamed('many-streams');
  t.deepEqual(frame.selectSizes(streams, { size: { streams: [4] } }), [
    { streams: 4, promptTokens: 128, maxTokens: 32 },
  ]);
  t.throws(() => frame.selectSizes(streams, { size: { candidates: [4] } }), {
    message: /streams, promptTokens, maxTokens/,
  });
});

test('several values of a size are all combined', (t) => {
  const sizes = frame.selectSizes(scenarioNamed('many-streams'), { size: { streams: [1, 2], maxTokens: [4, 8] } });
  t.deepEqual(
    sizes.map(({ streams, promptTokens, maxTokens }) => [streams, promptTokens, maxTokens]),
    [
      [1, 128, 4],
      [1, 128, 8],
      [2, 128, 4],
      [2, 128, 8],
    ],
  );
});

const measured = (over: object = {}) => ({
  scenario: 'many-streams',
  contender: 'winnow',
  size: { streams: 32 },
  parameters: {},
  context: { machine: 'box', commit: 'abc', model: 'm.gguf', threads: 2, seed: 1 },
  agree: true,
  runs: [3, 1, 2].map((seconds) => ({ seconds, metrics: { rate: { value: 6 / seconds, unit: 'tokens/s' } } })),
  ...over,
});

test('a row carries the median, least and greatest of the runs, and what they were run with', (t) => {
  const [total, rate] = frame.makeRows(measured());
  t.deepEqual(total, {
    scenario: 'many-streams',
    contender: 'winnow',
    metric: 'total',
    value: 2,
    min: 1,
    max: 3,
    runs: 3,
    unit: 's',
    outputsAgree: true,
    machine: 'box',
    commit: 'abc',
    model: 'm.gguf',
    threads: 2,
    seed: 1,
    streams: 32,
  });
  t.like(rate, { metric: 'rate', value: 3, min: 2, max: 6, unit: 'tokens/s' });
});

test('log-probabilities agree within the bound; a missing or shifted one does not', (t) => {
  t.is(frame.meanDistance([-1, -2], [-1.5, -2]), 0.25);
  t.is(frame.meanDistance([-1, -2], [-1]), Infinity);
  t.is(frame.meanDistance([-1, -2], [-1, null]), Infinity);
  const outputs = { reference: [-1, -2], expected: {}, results: [] };
  t.deepEqual(frame.disagreements({ ...outputs, logprobs: [-1.1, -2.1] }), []);
  t.regex(frame.disagreements({ ...outputs, logprobs: [-2, -1] })[0] ?? '', /1\.000 away per token/);
});

test('counts must be those of the scenario; what an engine cannot count may be unknown only where that is allowed', (t) => {
  const expected = {
    generatedTokens: { least: 8, most: 8 },
    evaluatedTokens: { least: 10, most: 20, mayBeUnknown: true },
  };
  const check = (result: object) =>
    frame.disagreements({ reference: [-1], logprobs: [-1], expected, results: [result] });
  t.deepEqual(check({ generatedTokens: 8, evaluatedTokens: 20 }), []);
  t.deepEqual(check({ generatedTokens: 8, evaluatedTokens: null }), []);
  t.deepEqual(check({ generatedTokens: 7, evaluatedTokens: 9 }), [
    'generatedTokens is 7, not 8',
    'evaluatedTokens is 9, not 10 to 20',
  ]);
  t.is(check({ generatedTokens: null, evaluatedTokens: 10 }).length, 1);
  t.is(check({ generatedTokens: 8 }).length, 1);
});

test('the table has ratios only of contenders whose outputs agree', (t) => {
  const row = (contender: string, seconds: number, agree = true) =>
    frame.makeRows(measured({ contender, agree, runs: [{ seconds, metrics: {} }] }));
  const report = frame.markdownReport([...row('winnow', 2), ...row('slow', 5), ...row('wrong', 1, false)]);
  t.regex(report, /### many-streams: streams 32/);
  t.regex(report, /\| slow \| 5\.00 \| 5\.00–5\.00 \| 2\.50 \|/);
  t.regex(report, /\| wrong \| 1\.00 \| 1\.00–1\.00 \| outputs differ \|/);
  t.notRegex(frame.markdownReport([...row('winnow', 2, false), ...row('slow', 5)]), /2\.50/);
});

test('a comparison calls slower only what the noise does not explain', (t) => {
  const rows = (...seconds: number[]) =>
    frame.makeRows(measured({ runs: seconds.map((value) => ({ seconds: value, metrics: {} })) }));
  const compare = (before: number[], after: number[]) => frame.compareRows(rows(...before), rows(...after))[0];
  t.is(compare([1, 1.1, 1.2], [1.5, 1.6, 1.7]).verdict, 'slower');
  t.is(compare([1.5, 1.6, 1.7], [1, 1.1, 1.2]).verdict, 'faster');
  t.is(compare([1, 1.1, 1.7], [1.5, 1.6, 1.7]).verdict, 'within noise');
  t.is(compare([1, 1.1, 1.2], [1.1, 1.15, 1.2]).verdict, 'same');
  t.is(compare([1, 1, 2], [1, 1, 1]).noise, 1);
  t.is(compare([1], [2]).verdict, 'too few runs');
});

test('a comparison ignores rows of another size, and what is different from run to run', (t) => {
  const before = frame.makeRows(measured({ parameters: { configuration: 'split' } }));
  const after = frame.makeRows(
    measured({ parameters: { configuration: 'unified' }, context: { ...measured().context, commit: 'def' } }),
  );
  t.is(frame.compareRows(before, after).length, 1);
  t.is(frame.compareRows(frame.makeRows(measured({ size: { streams: 8 } })), after).length, 0);
  t.deepEqual(frame.parseRows(`${after.map((row) => JSON.stringify(row)).join('\n')}\n`), after);
});

test('the reference turn evaluates 1,168 prompt tokens where all that is alike is shared', (t) => {
  const turn = scenarioNamed('lamda-turn');
  t.deepEqual(turn.sizes, [{ contextTokens: 1024, candidates: 16, maxTokens: 64, questions: 4 }]);
  t.like(turn.expected(makeWorkload(turn, turn.sizes[0], 1)), {
    evaluatedTokens: { least: 1168, most: 16 * 1024 + 64 * (1024 + 64 + 2) },
  });
});

for (const scenario of scenarios) {
  test(`${scenario.name}: prompts are the same for a run and differ between runs, at every size`, (t) => {
    for (const size of [...scenario.sizes, ...scenario.quickSizes]) {
      t.deepEqual(makeWorkload(scenario, size, 1), makeWorkload(scenario, size, 1));
      t.notDeepEqual(makeWorkload(scenario, size, 1), makeWorkload(scenario, size, 2));
      const warmUp = frame.shapeOf(makeWorkload(scenario, scenario.warmUp(size), 0));
      t.true(warmUp['totalTokens'] <= frame.shapeOf(makeWorkload(scenario, size, 1))['totalTokens']);
    }
  });
}

interface Fake extends FakeBehaviour {
  name: string;
  configurations?: string[];
  refusal?: string;
}

/** Measures fakes on two streams of three tokens in and two out. */
async function measure(t: ExecutionContext, fakes: Fake[], runs = 2, scenario = 'many-streams') {
  const journal = path.join(await temporaryFolder(t), 'journal');
  const contenders = fakes.map(({ configurations = ['default'], refusal, ...behaviour }) => ({
    name: behaviour.name,
    operations: ['generate'],
    configurations: () => configurations,
    refuses: () => refusal,
    program: { command: process.execPath, args: [fakeContender, JSON.stringify({ journal, ...behaviour })] },
  }));
  const messages: string[] = [];
  const rows = await frame.measureCase({
    scenario: scenarioNamed(scenario),
    size: { streams: 2, promptTokens: 3, maxTokens: 2 },
    contenders,
    setup: { file: 'm.gguf', threads: 2, seed: 1, runs, vocabularySize: 5000 },
    reference: { tokens: [1, 2, 3], from: 1, logprobs: [-0.002, -0.003] },
    context: { machine: 'box' },
    log: (line: string) => messages.push(line),
  });
  const lines = (await readFile(journal, 'utf8')).trim().split('\n');
  const totals = rows.filter(({ metric }) => metric === 'total');
  return { rows, totals, lines, messages: messages.join('\n') };
}

test('timed runs are interleaved, with the same prompts for all and new ones in each run', async (t) => {
  const { lines, totals } = await measure(t, [{ name: 'a' }, { name: 'b' }]);
  const timed = lines.filter((line) => line.includes(' run ')).slice(2); // Behind the two warm-ups.
  t.deepEqual(
    timed.map((line) => line[0]),
    ['a', 'b', 'a', 'b'],
  );
  const prompts = timed.map((line) => line.slice(2));
  t.is(prompts[0], prompts[1]);
  t.is(prompts[2], prompts[3]);
  t.not(prompts[0], prompts[2]);
  t.deepEqual(
    totals.map(({ contender, runs, outputsAgree }) => ({ contender, runs, outputsAgree })),
    [
      { contender: 'a', runs: 2, outputsAgree: true },
      { contender: 'b', runs: 2, outputsAgree: true },
    ],
  );
});

test('the fastest configuration is chosen, and one that takes far longer is given up', async (t) => {
  const seconds = { slow: 0.4, fast: 0.1, endless: 'never' } as const;
  const { totals, lines } = await measure(t, [{ name: 'a', configurations: ['slow', 'fast', 'endless'], seconds }]);
  t.is(totals[0]?.['configuration'], 'fast');
  t.is(totals[0]?.value, 0.1);
  t.deepEqual(
    lines.filter((line) => line.startsWith('a open')),
    ['a open slow', 'a open fast', 'a open endless', 'a open fast'],
  );
});

test('a contender that counts or computes something else is marked', async (t) => {
  const { totals, messages } = await measure(t, [
    { name: 'short', counts: { generatedTokens: 3 } },
    { name: 'other', shift: 1 },
  ]);
  t.deepEqual(
    totals.map(({ outputsAgree }) => outputsAgree),
    [false, false],
  );
  t.regex(messages, /short: outputs differ: generatedTokens is 3, not 4/);
  t.regex(messages, /other: outputs differ: log-probabilities are 1\.000 away/);
});

test('a contender that refuses a case is left out before it is loaded, with its reason', async (t) => {
  const { totals, messages, lines } = await measure(t, [{ name: 'a', refusal: 'too large for it' }, { name: 'b' }], 1);
  t.deepEqual(
    totals.map(({ contender }) => contender),
    ['b'],
  );
  t.regex(messages, /a is left out: too large for it/);
  t.false(lines.some((line) => line.startsWith('a ')));
});

test('memory has rows of the process when loaded and behind the runs, in that scenario alone', async (t) => {
  const namesIn = async (scenario: string) => {
    const { rows } = await measure(t, [{ name: 'a' }], 1, scenario);
    return rows.filter(({ unit }) => unit === 'B').map(({ metric, value }) => [metric, value > 1e6]);
  };
  t.deepEqual(await namesIn('many-streams'), [['peak-memory', true]]);
  const anonymous = process.platform === 'linux' ? [['anonymous-memory-behind-runs', true]] : [];
  t.deepEqual(await namesIn('memory'), [
    ['peak-memory', true],
    ['memory-when-loaded', true],
    ['memory-behind-runs', true],
    ...anonymous,
  ]);
});

test('a contender that fails is told of and left out; the others go on', async (t) => {
  const { totals, messages, lines } = await measure(t, [{ name: 'a', failsInRun: 1 }, { name: 'b' }]);
  t.deepEqual(
    totals.map(({ contender }) => contender),
    ['b'],
  );
  t.regex(messages, /a failed and is left out: a: Error: out of luck/);
  t.deepEqual(lines.filter((line) => line.endsWith(' close')).sort(), ['a close', 'b close']);
});
