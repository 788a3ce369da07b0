// The micro-benchmarks of the kernels as shares of what the machine could do at that moment: rounds of Google Benchmark's
// JSON → one share per case, and what became slower since a baseline. Shares, because a shared machine moves by 2 ×.
import { median } from '../statistics.mjs';

const threshold = 0.1; // A change below it is not reported as one.

/** One round: name of the case (path/Gemm/type/k/columns/rows) → shares of the peak and of the memory's bandwidth. */
export function parseRound(text) {
  const { benchmarks } = JSON.parse(text);
  const cases = benchmarks.filter(({ of_peak }) => of_peak !== undefined);
  return Object.fromEntries(cases.map((item) => [item.name, { ofPeak: item.of_peak, ofBandwidth: item.of_bandwidth }]));
}

/**
 * Case → { bound, share, min, max } over the rounds. `bound`: the nearer roof. Who reads faster than memory reads from a
 * cache, whose speed follows the core's clock as its arithmetic does.
 */
export function summariseRounds(rounds) {
  return Object.fromEntries(
    Object.keys(rounds[0]).map((name) => [name, summarise(rounds.map((round) => round[name]))]),
  );
}

function summarise(measured) {
  const of = (bound) => measured.map((shares) => shares[bound]);
  const bandwidth = median(of('ofBandwidth'));
  const bound = bandwidth > 1 || median(of('ofPeak')) >= bandwidth ? 'ofPeak' : 'ofBandwidth';
  return { ...sharesOf(of(bound)), bound };
}

const sharesOf = (values) => ({ share: median(values), min: Math.min(...values), max: Math.max(...values) });

/**
 * One entry per case of the rounds that the baseline has, against the same roof as there. 'slower' and 'faster' need a
 * change of the median by over 10 % and ranges that do not overlap.
 */
export function compareShares(baseline, rounds) {
  const names = Object.keys(rounds[0]).filter((name) => name in baseline);
  return names.map((name) => {
    const then = baseline[name];
    const now = sharesOf(rounds.map((round) => round[name][then.bound]));
    const ratio = now.share / then.share;
    return { name, then, now, ratio, verdict: judge(then, now, ratio) };
  });
}

function judge(then, now, ratio) {
  if (Math.abs(ratio - 1) <= threshold) return 'same';
  if (ratio < 1 && now.max < then.min) return 'slower';
  if (ratio > 1 && now.min > then.max) return 'faster';
  return 'within noise';
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const range = ({ min, max }) => `${percent(min)}–${percent(max)}`;
const roofs = { ofPeak: 'arithmetic', ofBandwidth: 'memory' };

export function sharesTable(summary) {
  const lines = Object.entries(summary).map(
    ([name, shares]) => `| ${name} | ${roofs[shares.bound]} | ${percent(shares.share)} | ${range(shares)} |`,
  );
  return ['| case | bound by | share | min–max |', '|---|---|---|---|', ...lines].join('\n');
}

export function shareComparisonTable(comparisons) {
  const lines = comparisons.map(({ name, then, now, ratio, verdict }) => {
    const cells = [name, roofs[then.bound], percent(then.share), range(then), percent(now.share), range(now)];
    return `| ${[...cells, ratio.toFixed(2), verdict].join(' | ')} |`;
  });
  return [
    '| case | bound by | baseline | min–max | now | min–max | now ÷ baseline | verdict |',
    '|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
