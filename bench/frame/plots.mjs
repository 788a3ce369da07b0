// Rows → plots, as Vega-Lite specifications by file name. Only rows whose outputs agree: others computed something else.
import { caseOf, groupBy } from './groups.mjs';
import { sizeOf } from './rows.mjs';

const yardstick = 'winnow'; // Ratios are against it.
const rates = ['goodput', 'generated-tokens-per-second', 'prompt-tokens-per-second', 'texts-per-second'];

/** `{ 'many-streams-streams.svg': specification, … }` of what the rows have enough of. */
export function plotsOf(rows) {
  const agreeing = rows.filter(({ outputsAgree }) => outputsAgree);
  const growth = [...groupBy(agreeing, ({ scenario }) => scenario)].flatMap(([name, group]) =>
    growthPlots(name, group),
  );
  const latencies = ['time-to-first-token', 'inter-token-latency'].flatMap((metric) => latencyPlots(metric, agreeing));
  return Object.fromEntries([...growth, ...latencies, ...ratioPlots(agreeing)]);
}

/** Time, and throughput where there is one, over the parameter in which a scenario's sizes differ. */
function growthPlots(scenario, rows) {
  const parameter = varyingParameter(rows);
  if (parameter === undefined) return [];
  const rate = rates.find((name) => rows.some(({ metric }) => metric === name));
  return ['total', ...(rate ? [rate] : [])].map((metric) => {
    const measured = rows.filter((row) => row.metric === metric);
    return [`${scenario}-${metric}.svg`, linePlot(titleOf(scenario, rows), measured, parameter)];
  });
}

/** Undefined unless exactly one differs. */
function varyingParameter(rows) {
  const sizes = rows.map(sizeOf);
  const varying = Object.keys(sizes[0]).filter((name) => new Set(sizes.map((size) => size[name])).size > 1);
  return varying.length === 1 ? varying[0] : undefined;
}

const axisTitle = ({ metric, unit }) => (unit === '' ? metric : `${metric}, ${unit}`);

function linePlot(title, rows, parameter) {
  const x = { field: parameter, type: 'quantitative', scale: { type: 'log', base: 2, nice: false } };
  x.axis = { values: [...new Set(rows.map((row) => row[parameter]))].sort((a, b) => a - b) };
  const y = { type: 'quantitative', title: axisTitle(rows[0]), scale: { zero: true } };
  const color = { field: 'contender', type: 'nominal', sort: null };
  return {
    ...frame(title, rows),
    layer: [
      { mark: 'rule', encoding: { x, y: { ...y, field: 'min' }, y2: { field: 'max' }, color } },
      { mark: { type: 'line', point: true }, encoding: { x, y: { ...y, field: 'value' }, color } },
    ],
  };
}

/** Median and 99th percentile of each case and contender, joined by a line. */
function latencyPlots(metric, rows) {
  const names = { [metric]: 'median', [`${metric}-p50`]: 'median', [`${metric}-p99`]: '99 %' };
  const measured = rows.filter((row) => row.metric in names);
  const values = measured.map((row) => ({ ...short(row), percentile: names[row.metric] }));
  if (!values.some(({ percentile }) => percentile === '99 %')) return [];
  const x = { field: 'value', type: 'quantitative', scale: { type: 'log' }, title: `${metric}, ms` };
  const y = { field: 'contender', type: 'nominal', sort: null, title: null };
  const color = { field: 'percentile', type: 'nominal', sort: null };
  const layer = [
    { mark: 'line', encoding: { x, y, detail: { field: 'contender' }, color: { value: 'grey' } } },
    { mark: { type: 'point', filled: true, size: 60 }, encoding: { x, y, color } },
  ];
  return [[`${metric}.svg`, byCase(titleOf(metric, rows), values, { layer, width: 420 })]];
}

/** Each contender's time over ours. */
function ratioPlots(rows) {
  const totals = rows.filter(({ metric }) => metric === 'total');
  const values = [...groupBy(totals, caseOf).values()].flatMap((group) => {
    const ours = group.find(({ contender }) => contender === yardstick);
    if (!ours || group.length < 2) return [];
    return group.map((row) => ({
      ...short(row),
      ratio: row.value / ours.value,
      least: row.min / ours.value,
      most: row.max / ours.value,
    }));
  });
  if (values.length === 0) return [];
  const x = { type: 'quantitative', title: 'its time ÷ ours', scale: { zero: true } };
  const y = { field: 'contender', type: 'nominal', sort: null, title: null };
  const layer = [
    {
      mark: 'bar',
      encoding: {
        x: { ...x, field: 'ratio' },
        y,
        color: { field: 'contender', type: 'nominal', sort: null, legend: null },
      },
    },
    { mark: 'rule', encoding: { x: { ...x, field: 'least' }, x2: { field: 'most' }, y } },
  ];
  return [['ratios.svg', byCase(titleOf('time over ours', rows), values, { layer, width: 420 })]];
}

function titleOf(text, [{ model, machine, threads, commit, date }]) {
  return { text: `${text}, ${model}`, subtitle: `${machine}, ${threads} threads, ${commit}, ${date}` };
}

const short = (row) => ({ contender: row.contender, value: row.value, case: caseOf(row) });

function frame(title, values) {
  return { title, data: { values }, width: 420, height: 260 };
}

/** One below the other, each with a scale of its own. */
function byCase(title, values, spec) {
  const cases = [...groupBy(values, (value) => value.case)];
  return { title, vconcat: cases.map(([name, items]) => ({ ...spec, title: name, data: { values: items } })) };
}
