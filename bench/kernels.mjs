// npm run bench:kernels [-- --check | --write]      the kernels' share of the machine's measured peak, one core
//
// Builds bench/cpp/kernels_bench and runs it several rounds. Every case measures the peaks right before and after itself.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { inRoot } from '../scripts/lib/paths.mjs';
import { printFailure, runStep, StepError } from '../scripts/lib/step.mjs';
import { generatorArguments, jobs } from '../scripts/lib/steps.mjs';
import { requireBuildTools } from '../scripts/lib/tools.mjs';
import {
  compareShares,
  parseRound,
  shareComparisonTable,
  sharesTable,
  summariseRounds,
} from './frame/kernel-shares.mjs';
import { commit, processor } from './statistics.mjs';

const usage = `npm run bench:kernels -- [options]
  --check          compare with the baseline of this processor; exit status 1 where a case lost over 10 %
  --write          make what is measured the baseline of this processor
  --rounds <n>     measure every case so many times, the median counts   (default: 5)
  --filter <regex> only these cases, such as 'avx2/Gemm/Q4_1'
  --min-time <s>   least seconds of one case in one round                (default: 0.1)`;

const baselineFile = inRoot('bench', 'cpp', 'kernels-baseline.json');
const folder = inRoot('build', 'bench');

function readOptions() {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' },
      filter: { type: 'string', default: 'Gemm|Attention' },
      'min-time': { type: 'string', default: '0.1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds must be a positive integer, got ${values.rounds}`);
  return { ...values, rounds, minTime: values['min-time'] };
}

async function build() {
  requireBuildTools();
  const options = ['WINNOW_LLAMA=OFF', 'WINNOW_ADDON=OFF', 'WINNOW_BENCH=ON', 'CMAKE_BUILD_TYPE=Release'];
  const configure = ['-S', inRoot(), '-B', folder, ...generatorArguments(), ...options.map((option) => `-D${option}`)];
  await runStep('Configuring the micro-benchmarks', 'cmake', configure, { log: 'bench-configure' });
  const args = ['--build', folder, '--config', 'Release', '--target', 'kernels_bench', '--parallel', jobs];
  await runStep('Building the micro-benchmarks', 'cmake', args, { log: 'bench-build' });
}

async function measure(title, filter, { rounds, minTime }) {
  const program = inRoot('build', 'bench', 'bench', 'cpp', 'kernels_bench');
  const args = [`--benchmark_filter=${filter}`, `--benchmark_min_time=${minTime}`, '--benchmark_format=json'];
  const measured = [];
  for (let round = 1; round <= rounds; round++) {
    const { stdout } = await runStep(`${title}, round ${round} of ${rounds}`, program, args, { log: 'bench-kernels' });
    if (!stdout.trim())
      throw new StepError(title, { reason: `no case matches ${filter}`, advice: 'Try: --filter Gemm' });
    measured.push(parseRound(stdout));
  }
  return measured;
}

const readBaselines = () => JSON.parse(readFileSync(baselineFile, 'utf8'));

function write(rounds) {
  const machine = processor();
  const baselines = readBaselines();
  const shares = { ...baselines[machine]?.shares, ...roundShares(summariseRounds(rounds)) };
  const entry = { commit: commit(), date: new Date().toISOString().slice(0, 10), rounds: rounds.length, shares };
  writeFileSync(baselineFile, `${JSON.stringify({ ...baselines, [machine]: entry }, undefined, 2)}\n`);
  console.error(`${Object.keys(rounds[0]).length} cases written to ${baselineFile}`);
}

/** Four digits are enough, and the file stays readable. */
function roundShares(summary) {
  const short = (value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);
  const entries = Object.entries(summary).map(([name, shares]) => [
    name,
    Object.fromEntries(Object.entries(shares).map(([key, value]) => [key, short(value)])),
  ]);
  return Object.fromEntries(entries);
}

/** What looks slower is measured once more before it is called so: a neighbour's minute is no regression. */
async function check(rounds, options) {
  const baseline = readBaselines()[processor()];
  if (!baseline) {
    console.error(`There is no baseline of ${processor()}. Take one of a state that you trust with --write.`);
    return 1;
  }
  const first = compareShares(baseline.shares, rounds);
  const suspects = first.filter(({ verdict }) => verdict === 'slower').map(({ name }) => name);
  if (suspects.length === 0) return report(first, baseline);
  const filter = `^(${suspects.join('|')})$`;
  const again = compareShares(baseline.shares, await measure('Measuring again what looks slower', filter, options));
  const byName = new Map(again.map((comparison) => [comparison.name, comparison]));
  return report(
    first.map((comparison) => byName.get(comparison.name) ?? comparison),
    baseline,
  );
}

function report(comparisons, { commit: measured, date }) {
  console.log(`${processor()}: ${commit()} against the baseline of ${measured}, ${date}\n`);
  console.log(shareComparisonTable(comparisons));
  const slower = comparisons.filter(({ verdict }) => verdict === 'slower').length;
  console.log(`\n${slower} of ${comparisons.length} cases are slower by over 10 %`);
  return slower > 0 ? 1 : 0;
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(usage);
  await build();
  const rounds = await measure('Measuring', options.filter, options);
  if (options.write) write(rounds);
  if (options.check) process.exitCode = await check(rounds, options);
  else console.log(`${processor()}, ${commit()}\n\n${sharesTable(summariseRounds(rounds))}`);
}

try {
  await main();
} catch (error) {
  printFailure(error);
  process.exitCode = 1;
}
