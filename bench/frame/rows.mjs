// Measurements → rows, the format of --json.
import { median } from '../statistics.mjs';

/**
 * One row per metric. `result.metrics` of each run: name → { value, unit }; the value of a row is the median over the
 * runs, min and max are theirs.
 */
export function makeRows({ scenario, contender, size, parameters, context, agree, runs }) {
  const metrics = runs.map((run) => ({ total: { value: run.seconds, unit: 's' }, ...run.metrics }));
  return Object.entries(metrics[0]).map(([metric, { unit }]) => ({
    scenario,
    contender,
    metric,
    ...summarise(metrics.map((values) => values[metric].value)),
    unit,
    outputsAgree: agree,
    ...context,
    ...size,
    ...parameters,
  }));
}

function summarise(values) {
  return { value: median(values), min: Math.min(...values), max: Math.max(...values), runs: values.length };
}

/** What differs between two measurements of one thing: the outcome, where and when, and what the script chose. */
const outcome = ['value', 'min', 'max', 'runs', 'unit', 'outputsAgree', 'machine', 'commit', 'date'];
const chosen = ['configuration', 'kernels', 'version'];
const conditions = ['scenario', 'contender', 'metric', 'model', 'threads', 'seed'];

const without = (row, names) => Object.entries(row).filter(([name]) => !names.includes(name));
const notInKey = [...outcome, ...chosen];
const notSizes = [...notInKey, ...conditions];

/** The same for two measurements of one thing. */
export const rowKey = (row) => JSON.stringify(without(row, notInKey).sort());
/** The parameters of the scenario. */
export const sizeOf = (row) => Object.fromEntries(without(row, notSizes));
