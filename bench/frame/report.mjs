// Rows → Markdown. Ratios are of those whose outputs agree.
import { caseOf, groupBy } from './groups.mjs';

const yardstick = 'winnow'; // Ratios are against it.

export function markdownReport(rows) {
  return [...groupBy(rows, caseOf)].map(([title, group]) => `### ${title}\n\n${caseTable(group)}`).join('\n\n');
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
  return (total.value / ours.value).toPrecision(3);
}

function valueText(row) {
  if (!row) return '';
  if (row.unit === 'B') return `${(row.value / 1e6).toFixed(0)}e6`;
  return row.value >= 100 || Number.isInteger(row.value) ? row.value.toFixed(0) : row.value.toPrecision(3);
}
