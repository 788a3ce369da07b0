// --compare: what became slower or faster since an earlier run, and whether the noise explains it.
import { rowKey, sizeOf } from './rows.mjs';

const threshold = 0.1; // A change below it is not reported as one.

/** Rows as `--json` prints them. */
export function parseRows(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => JSON.parse(line));
}

const isRate = ({ unit }) => unit.endsWith('/s');

/**
 * One entry per total that both have. 'slower' and 'faster' need a change of the median by over 10 % and ranges that do
 * not overlap; `noise` is the wider of the two ranges as a share of its median.
 */
export function compareRows(before, after) {
  const earlier = new Map(before.map((row) => [rowKey(row), row]));
  return after.filter(isCompared).flatMap((now) => {
    const then = earlier.get(rowKey(now));
    return then ? [compareRow(then, now)] : [];
  });
}

const isCompared = (row) => row.metric === 'total';

function compareRow(then, now) {
  const ratio = now.value / then.value;
  const noise = Math.max(...[then, now].map(({ min, max, value }) => (max - min) / value));
  return { then, now, ratio, noise, verdict: judge(then, now, ratio) };
}

function judge(then, now, ratio) {
  if (Math.min(then.runs, now.runs) < 2) return 'too few runs';
  const [worse, better] = isRate(now) ? ['faster', 'slower'] : ['slower', 'faster'];
  if (ratio > 1 + threshold && now.min > then.max) return worse;
  if (ratio < 1 - threshold && now.max < then.min) return better;
  return Math.abs(ratio - 1) <= threshold ? 'same' : 'within noise';
}

export function comparisonTable(comparisons) {
  const lines = comparisons.map(({ then, now, ratio, noise, verdict }) => {
    const size = Object.entries(sizeOf(now)).map(([name, value]) => `${name} ${value}`);
    const cells = [now.scenario, size.join(', '), now.contender, then.value.toFixed(3), now.value.toFixed(3)];
    return `| ${[...cells, ratio.toFixed(3), `${(100 * noise).toFixed(0)} %`, verdict].join(' | ')} |`;
  });
  return [
    '| scenario | size | contender | before, s | now, s | now ÷ before | noise | verdict |',
    '|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
