import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type { Row } from '../support/load-bench.js';
import { loadBench } from '../support/load-bench.js';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Specification {
  title: unknown;
  data?: { values: Record<string, unknown>[] };
  vconcat?: Specification[];
}
interface Frame {
  plotsOf: (rows: Row[]) => Record<string, Specification>;
  writePlots: (plots: Record<string, Specification>, folder: string) => Promise<string[]>;
}
const frame = await loadBench<Frame>('frame/plots.mjs', 'frame/svg.mjs');

const valuesOf = ({ data, vconcat = [] }: Specification): Record<string, unknown>[] => [
  ...(data?.values ?? []),
  ...vconcat.flatMap(valuesOf),
];

const row = (contender: string, metric: string, value: number, over: Partial<Row> = {}): Row => ({
  scenario: 'many-streams',
  contender,
  metric,
  value,
  min: 0.9 * value,
  max: 1.1 * value,
  runs: 5,
  unit: metric === 'total' ? 's' : 'tokens/s',
  outputsAgree: true,
  model: 'm.gguf',
  threads: 2,
  seed: 1,
  streams: 8,
  ...over,
});
const both = (metric: string, over: Partial<Row> = {}) => [
  row('winnow', metric, 2, over),
  row('slow', metric, 6, over),
  row('wrong', metric, 1, { ...over, outputsAgree: false }),
];

test('a scenario whose sizes differ in one parameter is drawn over it: time, and throughput', (t) => {
  const sizes = [1, 8].flatMap((streams) => [
    ...both('total', { streams }),
    ...both('generated-tokens-per-second', { streams }),
  ]);
  const plots = frame.plotsOf(sizes);
  t.deepEqual(Object.keys(plots), [
    'many-streams-total.svg',
    'many-streams-generated-tokens-per-second.svg',
    'ratios.svg',
  ]);
  const drawn = valuesOf(plots['many-streams-total.svg']);
  t.deepEqual(
    drawn.map(({ contender, streams }) => [contender, streams]),
    [
      ['winnow', 1],
      ['slow', 1],
      ['winnow', 8],
      ['slow', 8],
    ],
  );
});

test('ratios are against us, of those whose outputs agree', (t) => {
  const { 'ratios.svg': ratios } = frame.plotsOf(both('total'));
  t.deepEqual(
    valuesOf(ratios).map(({ contender, ratio }) => [contender, ratio]),
    [
      ['winnow', 1],
      ['slow', 3],
    ],
  );
  t.deepEqual(frame.plotsOf([row('slow', 'total', 6)]), {});
});

test('latencies are drawn where a percentile is known', (t) => {
  const ms = { unit: 'ms' };
  const rows = [
    row('winnow', 'time-to-first-token', 20, ms),
    row('winnow', 'inter-token-latency-p50', 5, ms),
    row('winnow', 'inter-token-latency-p99', 9, ms),
  ];
  const plots = frame.plotsOf(rows);
  t.deepEqual(Object.keys(plots), ['inter-token-latency.svg']);
  t.deepEqual(
    valuesOf(plots['inter-token-latency.svg']).map(({ percentile, value }) => [percentile, value]),
    [
      ['median', 5],
      ['99 %', 9],
    ],
  );
});

test('the same rows give the same SVG, with every contender’s name in it', async (t) => {
  const rows = [1, 8].flatMap((streams) => both('total', { streams }));
  const [first, second] = [await temporaryFolder(t), await temporaryFolder(t)];
  const files = await frame.writePlots(frame.plotsOf(rows), first);
  t.deepEqual(
    files.map((file) => path.basename(file)),
    ['many-streams-total.svg', 'ratios.svg'],
  );
  await frame.writePlots(frame.plotsOf(rows), second);
  for (const file of files) {
    const svg = await readFile(file, 'utf8');
    t.regex(svg, /^<svg /);
    t.true(svg.includes('>winnow<') && svg.includes('>slow<') && !svg.includes('>wrong<'));
    t.is(svg, await readFile(path.join(second, path.basename(file)), 'utf8'));
  }
});
