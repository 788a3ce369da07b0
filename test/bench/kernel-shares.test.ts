import test from 'ava';
import { loadBench } from '../support/load-bench.js';

interface Shares {
  share: number;
  min: number;
  max: number;
  bound: 'ofPeak' | 'ofBandwidth';
}
type Round = Record<string, { ofPeak: number; ofBandwidth: number }>;
interface Comparison {
  name: string;
  ratio: number;
  verdict: string;
  now: { share: number };
}
interface Frame {
  parseRound: (text: string) => Round;
  summariseRounds: (rounds: Round[]) => Record<string, Shares>;
  compareShares: (baseline: Record<string, Shares>, rounds: Round[]) => Comparison[];
  shareComparisonTable: (comparisons: Comparison[]) => string;
}
const frame = await loadBench<Frame>('frame/kernel-shares.mjs');
const name = 'avx2/Gemm/Q4_1/576/1536/8';
const rounds = (...shares: number[]): Round[] => shares.map((ofPeak) => ({ [name]: { ofPeak, ofBandwidth: 0.1 } }));

test('a round has the cases of Google Benchmark that are shares of a peak', (t) => {
  const benchmarks = [
    { name, of_peak: 0.5, of_bandwidth: 0.2, 'GMAC/s': 100 },
    { name: 'avx2/QuantizeRow/576', items_per_second: 1e9 },
  ];
  t.deepEqual(frame.parseRound(JSON.stringify({ benchmarks })), { [name]: { ofPeak: 0.5, ofBandwidth: 0.2 } });
});

test('a case is summed up by its median share of the nearer roof', (t) => {
  t.deepEqual(frame.summariseRounds(rounds(0.5, 0.9, 0.4)), {
    [name]: { share: 0.5, min: 0.4, max: 0.9, bound: 'ofPeak' },
  });
  const streaming = [0.7, 0.8, 0.6].map((ofBandwidth) => ({ [name]: { ofPeak: 0.05, ofBandwidth } }));
  t.deepEqual(frame.summariseRounds(streaming), { [name]: { share: 0.7, min: 0.6, max: 0.8, bound: 'ofBandwidth' } });
});

test('a case that reads faster than memory is bound by the core', (t) => {
  const cached = [2.4, 2.5, 2.6].map((ofBandwidth) => ({ [name]: { ofPeak: 0.3, ofBandwidth } }));
  t.deepEqual(frame.summariseRounds(cached), { [name]: { share: 0.3, min: 0.3, max: 0.3, bound: 'ofPeak' } });
});

for (const [verdict, before, after] of [
  ['same', [0.5, 0.52, 0.51], [0.47, 0.48, 0.49]],
  ['slower', [0.5, 0.52, 0.51], [0.4, 0.41, 0.42]],
  ['faster', [0.5, 0.52, 0.51], [0.6, 0.61, 0.62]],
  ['within noise', [0.5, 0.52, 0.51], [0.3, 0.4, 0.5]],
] as const) {
  test(`${before.join(', ')} before and ${after.join(', ')} now: ${verdict}`, (t) => {
    const [comparison] = frame.compareShares(frame.summariseRounds(rounds(...before)), rounds(...after));
    t.is(comparison?.verdict, verdict);
  });
}

test('a case is held against the roof that bound it in the baseline, and only where it is in both', (t) => {
  const baseline = { [name]: { share: 0.2, min: 0.2, max: 0.2, bound: 'ofBandwidth' } as const };
  const [comparison, ...others] = frame.compareShares(baseline, [
    { [name]: { ofPeak: 0.9, ofBandwidth: 0.1 }, other: { ofPeak: 0.5, ofBandwidth: 0.5 } },
  ]);
  t.is(others.length, 0);
  t.is(comparison?.ratio, 0.5);
  t.regex(frame.shareComparisonTable([comparison]), /Q4_1\/576\/1536\/8 \| memory \| 20\.0 % .*\| 0\.50 \| slower \|/);
});
