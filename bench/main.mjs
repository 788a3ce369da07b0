// npm run bench [-- --quick]      scenarios × contenders; docs/benchmarks.md says what they are and what to make of them
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { defaultModel, resolveModel } from '../dist/models/index.js';
import { contenders } from './contenders/index.mjs';
import { compareRows, comparisonTable, parseRows } from './frame/compare.mjs';
import { measureCase } from './frame/measure.mjs';
import { parseOptions, selectSizes, usage, UsageError } from './frame/options.mjs';
import { readReference } from './frame/reference.mjs';
import { plotsOf } from './frame/plots.mjs';
import { markdownReport } from './frame/report.mjs';
import { scenarios } from './scenarios/index.mjs';
import { commit, machine } from './statistics.mjs';

const log = (line) => console.error(line);

function list() {
  for (const { name, sizes } of scenarios) console.log(`scenario   ${name}: ${JSON.stringify(sizes)}`);
  for (const contender of contenders)
    console.log(`contender  ${contender.name}: ${contender.missing() ?? 'installed'}`);
}

function installed(names) {
  const chosen = contenders.filter(({ name }) => names.includes(name));
  return chosen.filter((contender) => {
    const missing = contender.missing();
    if (missing) log(`${contender.name} is skipped: ${missing}`);
    return !missing;
  });
}

async function measure(options) {
  const file = (await resolveModel(options.model ?? defaultModel)).paths[0];
  const chosen = installed(options.contenders);
  const cases = scenarios
    .filter(({ name }) => options.scenarios.includes(name))
    .flatMap((scenario) => selectSizes(scenario, options).map((size) => ({ scenario, size })));
  const reference = await readReference(file, options.threads);
  const threads = options.threads ?? reference.threads;
  const { seed, runs } = options;
  const { vocabularySize, partialTokens: excluded } = reference;
  const setup = { file, threads, seed, runs, vocabularySize, excluded };
  const facts = { machine: machine(), commit: commit(), date: new Date().toISOString().slice(0, 10) };
  const context = { ...facts, model: path.basename(file), threads, seed };
  const rows = [];
  for (const { scenario, size } of cases) {
    log(`\n${scenario.name} ${JSON.stringify(size)}`);
    const measured = await measureCase({ scenario, size, contenders: chosen, setup, reference, context, log });
    if (options.json) for (const row of measured) console.log(JSON.stringify(row)); // At once: a run may be stopped.
    rows.push(...measured);
  }
  return rows;
}

async function report(rows, options) {
  if (!options.json) console.log(`\n${describeOrigin(rows)}\n\n${markdownReport(rows)}`);
  if (options.plots) {
    const { writePlots } = await import('./frame/svg.mjs'); // It takes half a second to load.
    for (const file of await writePlots(plotsOf(rows), options.plots)) log(`written: ${file}`);
  }
  if (!options.before) return;
  const comparisons = compareRows(options.before, rows);
  const origins = `before: ${describeOrigin(options.before)}\nnow: ${describeOrigin(rows)}`;
  (options.json ? log : console.log)(`\n${origins}\n\n${comparisonTable(comparisons)}`);
  if (comparisons.some(({ verdict }) => verdict === 'slower')) process.exitCode = 1;
}

/** Rows of an earlier run tell where they are from. */
function describeOrigin(rows) {
  const origins = rows.map((row) => `${row.machine}, ${row.commit}, ${row.date}, ${row.model}, ${row.threads} threads`);
  return [...new Set(origins)].join('\n');
}

const readRows = (file) => parseRows(readFileSync(file, 'utf8'));

try {
  const options = parseOptions(process.argv.slice(2), { scenario: scenarios, contender: contenders });
  if (options.help) console.log(usage);
  else if (options.list) list();
  else {
    if (options.compare) options.before = readRows(options.compare);
    const rows = options.report ? readRows(options.report) : await measure(options);
    await report(rows, options);
    if (rows.length === 0) process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
