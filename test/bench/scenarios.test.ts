import test from 'ava';
import type { Size } from '../support/load-bench.js';
import { loadBench, makeWorkload, scenarioNamed } from '../support/load-bench.js';

interface Common {
  generationMetrics: (result: object) => Record<string, { value: number; unit: string }>;
  percentile: (values: number[], share: number) => number;
}
const common = await loadBench<Common>('scenarios/common.mjs', 'statistics.mjs');

test('a percentile is a value that was measured: the least that this share does not exceed', (t) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.is(common.percentile(values, 0.5), 50);
  t.is(common.percentile(values, 0.99), 99);
  t.is(common.percentile([7], 0.99), 7);
  t.is(common.percentile([1, 2], 0), 1);
});

test('latencies have rows where an engine tells them, and none where it does not', (t) => {
  const told = { seconds: 2, generatedTokens: 6, firstTokenMs: [30, 10, 20], interTokenMs: [5, 5, 40] };
  const { 'generated-tokens-per-second': rate, ...latencies } = common.generationMetrics(told);
  t.deepEqual(rate, { value: 3, unit: 'tokens/s' });
  t.deepEqual(
    Object.entries(latencies).map(([name, { value, unit }]) => [name, value, unit]),
    [
      ['time-to-first-token', 20, 'ms'],
      ['time-to-first-token-p99', 30, 'ms'],
      ['inter-token-latency-p50', 5, 'ms'],
      ['inter-token-latency-p99', 40, 'ms'],
    ],
  );
  const silent = common.generationMetrics({ seconds: 2, generatedTokens: 6, firstTokenMs: null, interTokenMs: null });
  t.deepEqual(Object.keys(silent), ['generated-tokens-per-second']);
});

interface Random {
  makeTokenSource: (given: {
    seed: number;
    run: number;
    vocabularySize: number;
    excluded?: number[];
  }) => (length: number) => number[];
}
const { makeTokenSource } = await loadBench<Random>('frame/random.mjs');

test('prompts have no special tokens and none that are excluded', (t) => {
  const given = { seed: 1, run: 1, vocabularySize: 1010 };
  const all = new Set(makeTokenSource(given)(500));
  t.deepEqual(
    [...all].sort(),
    Array.from({ length: 10 }, (_, index) => 1000 + index),
  );
  const some = new Set(makeTokenSource({ ...given, excluded: [1003, 1007] })(500));
  t.is(some.size, 8);
  t.false(some.has(1003) || some.has(1007));
});

interface Arrivals {
  requests: number[][];
  arrivalMs: number[];
  maxTokens: number;
}
const openLoop = scenarioNamed('open-loop');
const arrivals = (size: Size, run = 1) => makeWorkload(openLoop, size, run) as unknown as Arrivals;

test('requests of the open loop arrive at random with the mean gap of the rate, in order, the first at once', (t) => {
  const { arrivalMs } = arrivals({ requestsPerMinute: 60, requests: 2000, promptTokens: 1, maxTokens: 2 });
  t.is(arrivalMs[0], 0);
  t.true(arrivalMs.every((ms, index) => index === 0 || ms > (arrivalMs[index - 1] ?? 0)));
  const gaps = arrivalMs.slice(1).map((ms, index) => ms - (arrivalMs[index] ?? 0));
  const mean = gaps.reduce((total, gap) => total + gap, 0) / gaps.length;
  t.true(Math.abs(mean / 1000 - 1) < 0.1, `the mean gap is ${mean} ms`);
  // An exponential distribution: its deviation is its mean, and e⁻¹ of it lies beyond.
  const deviation = Math.sqrt(gaps.reduce((total, gap) => total + (gap - mean) ** 2, 0) / gaps.length);
  t.true(Math.abs(deviation / mean - 1) < 0.15, `the deviation is ${deviation} ms`);
  const long = gaps.filter((gap) => gap > 1000).length / gaps.length;
  t.true(Math.abs(long - Math.exp(-1)) < 0.05);
});

test('goodput counts requests whose first token and whose pace both keep to the target', (t) => {
  const workload = arrivals({ requestsPerMinute: 60, requests: 4, promptTokens: 1, maxTokens: 11 });
  const firstTokenMs = [1000, 1001, 10, 10];
  const finishMs = [2000, 1100, 1010, 1011]; // Ten tokens after the first: at most 1,000 ms for them.
  const result = { seconds: 2, generatedTokens: 44, firstTokenMs, finishMs, interTokenMs: [1] };
  const { goodput, 'within-target': share } = openLoop.metrics(workload, result);
  t.deepEqual(share, { value: 0.5, unit: '' });
  t.deepEqual(goodput, { value: 1, unit: 'requests/s' });
});

test('choices cost their inner tokens where all is shared, a whole reading each where nothing is', (t) => {
  const scenario = scenarioNamed('score-continuations');
  const workload = makeWorkload(scenario, { texts: 2, textTokens: 10, choices: 4, choiceTokens: 3 }, 1);
  const { scores, evaluatedTokens } = scenario.expected(workload);
  t.deepEqual([scores?.least, scores?.most], [8, 8]);
  t.deepEqual([evaluatedTokens?.least, evaluatedTokens?.most], [2 * (10 + 4 * 2), 2 * 4 * (10 + 3 + 1)]);
});

test('what choices begin with alike may be evaluated once', (t) => {
  const scenario = scenarioNamed('score-continuations');
  const choices = [
    [1, 2, 3],
    [1, 2, 4],
    [1, 5, 6],
    [1, 2, 3],
  ];
  const { evaluatedTokens } = scenario.expected({ items: [{ text: [9, 9], choices }] });
  t.is(evaluatedTokens?.least, 2 + 3); // 1, 1 2, 1 5.
});

test('the overhead is told apart: in steps, outside them, and what Node did meanwhile', (t) => {
  const { metrics } = scenarioNamed('node-overhead');
  const engine = { seconds: 2, stepSeconds: 1.5, steps: 33, submitMs: 0.5 };
  t.deepEqual(metrics({}, engine), {
    'in-steps': { value: 1.5, unit: 's' },
    'outside-steps': { value: 0.5, unit: 's' },
    steps: { value: 33, unit: '' },
    submit: { value: 0.5, unit: 'ms' },
  });
  const names = Object.keys(metrics({}, { ...engine, eventLoopMs: 12, collectionMs: 0 }));
  t.deepEqual(names.slice(4), ['event-loop-active', 'garbage-collection']);
});

test('Sparrow’s tree costs the context once and every rule behind every candidate, or a whole reading for each', (t) => {
  const scenario = scenarioNamed('sparrow-tree');
  const size = { contextTokens: 100, candidates: 8, maxTokens: 10, rules: 23 };
  const workload = makeWorkload(scenario, size, 1) as unknown as { questions: { suffix: number[] }[] };
  t.is(workload.questions.length, 23);
  t.true(workload.questions.every(({ suffix }) => suffix.length === 25));
  const { scores, generatedTokens, evaluatedTokens } = scenario.expected(workload);
  t.deepEqual([scores?.least, generatedTokens?.least], [184, 80]);
  t.deepEqual(
    [evaluatedTokens?.least, evaluatedTokens?.most],
    [100 + 8 * (1 + 23 * 25), 8 * 100 + 184 * (100 + 10 + 25)],
  );
  const { 'rules-per-second': rate } = scenario.metrics(
    { candidates: 8, ...workload },
    { seconds: 2, evaluatedTokens: 1 },
  );
  t.deepEqual(rate, { value: 92, unit: 'rules/s' });
});

test('self-consistency: forty paths behind one prompt, which is evaluated once where it is shared', (t) => {
  const scenario = scenarioNamed('self-consistency');
  const size = { paths: 40, examplesTokens: 50, questionTokens: 10, maxTokens: 5 };
  const workload = makeWorkload(scenario, size, 1) as unknown as { requests: number[][]; prefixTokens: number };
  t.is(workload.requests.length, 40);
  t.deepEqual(workload.requests[0], workload.requests[39]);
  t.is(workload.prefixTokens, 59);
  const { generatedTokens, evaluatedTokens } = scenario.expected(workload);
  t.is(generatedTokens?.least, 200);
  t.deepEqual([evaluatedTokens?.least, evaluatedTokens?.most], [60, 2400]);
});

test('rows through files are told apart from those in memory; their texts differ', (t) => {
  const scenario = scenarioNamed('batch-rows');
  const workload = makeWorkload(scenario, { rows: 3, textTokens: 5, choices: 2, choiceTokens: 2 }, 1);
  const { filed, remembered } = workload as unknown as Record<string, { text: number[] }[]>;
  t.notDeepEqual(filed[0].text, remembered[0].text);
  t.deepEqual(scenario.expected(workload), { rows: { least: 3, most: 3 }, scores: { least: 12, most: 12 } });
  const { 'pipeline-cost': cost, 'rows-per-second': rate } = scenario.metrics(workload, {
    fileSeconds: 1.5,
    memorySeconds: 1,
  });
  t.deepEqual([cost.value, rate.value], [0.5, 2]);
});

test('half of the candidates fail early: what is drawn, asked and kept is known to the token', (t) => {
  const scenario = scenarioNamed('early-rejection');
  const counts = (every: number) => {
    const size = { contexts: 4, contextTokens: 40, candidates: 3, maxTokens: 16, every };
    return scenario.expected(makeWorkload(scenario, size, 1));
  };
  const plain = counts(0);
  const checked = counts(4);
  t.deepEqual([plain['kept']?.least, checked['kept']?.least], [6, 6]);
  t.deepEqual([plain['generatedTokens']?.least, checked['generatedTokens']?.least], [12 * 16, 6 * 16 + 6 * 4]);
  // Checks: three of each candidate that passes, one of the others; then two tokens per question at the end.
  t.deepEqual([plain['evaluatedTokens']?.least, checked['evaluatedTokens']?.least], [160 + 24, 160 + 18 + 6 + 12]);
});

test('contexts of the early rejection have their length, and say one word behind the marker', (t) => {
  const scenario = scenarioNamed('early-rejection');
  const size = { contexts: 2, contextTokens: 50, candidates: 1, maxTokens: 8, every: 4 };
  const { contexts, question } = makeWorkload(scenario, size, 1) as unknown as {
    contexts: number[][];
    question: { suffix: number[]; labels: { good: number[]; bad: number[] } };
  };
  const { good, bad } = question.labels;
  for (const [context, word] of [
    [contexts[0], good[0]],
    [contexts[1], bad[0]],
  ] as const) {
    t.is(context?.length, 50);
    t.deepEqual(context?.slice(-2), [question.suffix[0], word]);
    t.is(context?.filter((token) => token === word).length, 12);
  }
});

test('mixed load: latencies of the readers in each mode, and the share of its speed that the job keeps', (t) => {
  const scenario = scenarioNamed('mixed-load');
  const workload = makeWorkload(scenario, scenario.quickSizes[0], 1);
  t.deepEqual(scenario.expected(workload), { generatedTokens: { least: 96, most: 96 } });
  const mode = (interTokenMs: number[], jobRowsPerSecond: number) => ({ interTokenMs, jobRowsPerSecond });
  const rows = scenario.metrics(workload, {
    targetMs: 60,
    jobAlone: { jobRowsPerSecond: 200 },
    alone: { interTokenMs: [20, 22] },
    byDefault: mode([20, 400], 190),
    withTarget: mode([20, 59], 100),
  });
  t.deepEqual(
    Object.entries(rows).map(([name, { value, unit }]) => [name, value, unit]),
    [
      ['target', 60, 'ms'],
      ['inter-token-latency-p99-alone', 22, 'ms'],
      ['inter-token-latency-p99-default', 400, 'ms'],
      ['inter-token-latency-p99-target', 59, 'ms'],
      ['job-kept-default', 0.95, ''],
      ['job-kept-target', 0.5, ''],
    ],
  );
});
