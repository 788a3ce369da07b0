// Rows → Markdown. Ratios are of those whose outputs agree.
import { sizeOf } from './rows.mjs';

const yardstick = 'winnow'; // Ratios are against it.

const describeSize = (row) =>
  Object.entries(sizeOf(row))
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

export function markdownReport(rows) {
  const groups = Map.groupBy
    ? Map.groupBy(rows, (row) => `${row.scenario}: ${describeSize(row)}`)
    : groupBy(rows, (row) => `${row.scenario}: ${describeSize(row)}`);
  return [...groups].map(([title, group]) => `### ${title}\n\n${caseTable(group)}`).join('\n\n');
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

function caseTable(rows) {
  const others = [...new Set(rows.map(({ metric }) => metric))].filter((metric) => metric !== 'total');
  const find = (contender, metric) => rows.find((row) => row.contender === contender && row.metric === metric);
  const heading = (metric) => {
    const { unit } = rows.find((row) => row.metric === metric);
    return unit === '' ? metric : `${metric}, ${unit}`;
  };
  const head = ['contender', 'total, s', 'min–max', 'its time ÷ ours', ...others.map(heading), 'configuration'];
  const totals = rows.filter(({ metric }) => metric === 'total');
  const lines = totals.map((total) => [
    total.contender,
    total.value.toFixed(2),
    `${total.min.toFixed(2)}–${total.max.toFixed(2)}`,
    ratioText(total, find(yardstick, 'total')),
    ...others.map((metric) => valueText(find(total.contender, metric))),
    total.configuration ?? '',
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The ratio of medians, or why there is none. */
export function ratioText(total, ours) {
  if (!total.outputsAgree) return 'outputs differ';
  if (!ours?.outputsAgree) return '';
  return (total.value / ours.value).toFixed(2);
}

function valueText(row) {
  if (!row) return '';
  if (row.unit === 'B') return `${(row.value / 1e6).toFixed(0)}e6`;
  return row.value >= 100 ? row.value.toFixed(0) : row.value.toFixed(2);
}
