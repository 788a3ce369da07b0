// winnow bench: how fast a model is on this machine. Comparisons with other engines are in the repository's bench/.
import { Command } from 'commander';
import { OptionError } from '../errors.js';
import type { Model } from '../index.js';
import { exampleLines, parseNumber, runCommand } from './command.js';
import { loadWithProgress } from './load.js';
import { benchSizes, measureModel, roomFor, type BenchFigures, type Measured } from './measure.js';
import { addEngineOptions, type EngineCommandOptions } from './options.js';
import { count, megabytes, StatusLine } from './terminal.js';

interface BenchCommandOptions extends EngineCommandOptions {
  runs: number;
}

export const benchCommand = new Command('bench')
  .description('measure a model on this machine: reading, writing alone and in 32 streams, scoring, memory')
  .option('--runs <n>', 'timed runs, of which the median counts', parseNumber, 3)
  .addHelpText('after', exampleLines('bench --runs 5', 'bench --model hf:owner/repo/file.gguf --json'))
  .action((options: BenchCommandOptions) => runCommand((signal) => bench(options, signal)));
addEngineOptions(benchCommand);

async function bench({ model: source, threads, runs, json }: BenchCommandOptions, signal: AbortSignal): Promise<void> {
  if (!(Number.isInteger(runs) && runs > 0))
    throw new OptionError('ERR_OPTION_VALUE', `runs must be a positive integer, got ${runs}`, 'runs', runs);
  const model = await loadWithProgress(source, { threads, ...roomFor(benchSizes), signal });
  const status = new StatusLine();
  try {
    const onRun = (run: number) => status.update(run === 0 ? 'warming up …' : `run ${run} of ${runs} …`);
    const figures = await measureModel(model, benchSizes, { runs, signal, onRun });
    status.clear();
    console.log(json ? toJson(model, figures, runs) : describe(model, figures, runs));
  } finally {
    status.clear();
    await model.close();
  }
}

const peakBytes = () => process.resourceUsage().maxRSS * 1024;

function toJson({ info }: Model, figures: BenchFigures, runs: number): string {
  const { name, description, device, kernels, threads, sizeBytes, cacheTokens } = info;
  const facts = { name, description, device, kernels, threads, sizeBytes, cacheTokens };
  return JSON.stringify({ ...facts, runs, sizes: benchSizes, ...figures, peakMemoryBytes: peakBytes() });
}

function describe({ info }: Model, { prefill, decode, decodeStreams, scoring }: BenchFigures, runs: number): string {
  const { promptTokens, streams, questions } = benchSizes;
  const rows: [string, string][] = [
    [`reading ${promptTokens} tokens`, rate(prefill, 'tokens/s')],
    ['writing, alone', rate(decode, 'tokens/s')],
    [`writing, ${streams} streams`, rate(decodeStreams, 'tokens/s')],
    [`scoring, ${questions} questions`, scoring ? rate(scoring, 'rows/s') : 'not with this model: it cannot fork'],
    ['peak memory', `${megabytes(peakBytes())}, with a cache of ${count(info.cacheTokens)} tokens`],
  ];
  const head = `${info.name || info.description} on ${info.device}, ${info.threads} threads, ${info.kernels} kernels`;
  const note = `Medians of ${runs} runs, least and greatest in brackets.`;
  return [head, '', ...rows.map(([name, value]) => `${name.padEnd(22)} ${value}`), '', note].join('\n');
}

const rate = ({ value, min, max }: Measured, unit: string) => `${count(value)} ${unit} (${count(min)}–${count(max)})`;
