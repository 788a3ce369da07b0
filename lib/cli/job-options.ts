// What the commands over files share: their options, and what they say at the end.
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { goOn } from '../batch/errors.js';
import type { BatchProgress, BatchReport, JobFileOptions } from '../batch/index.js';
import { BatchStatus } from './batch-progress.js';
import { exitCodes, parseNumber } from './command.js';
import type { EngineCommandOptions } from './options.js';
import { count } from './terminal.js';

export interface JobCommandOptions extends EngineCommandOptions {
  input: string;
  output: string;
  keep?: string[];
  csv: boolean;
  limit?: number;
  shard?: { index: number; count: number };
  duplicates: 'error' | 'index';
  maxErrors?: number;
  ordered: boolean;
  force: boolean;
}

export const addJobOptions = (command: Command): Command =>
  command
    .option('--keep <fields>', 'fields that the results repeat, with commas between', (text) => text.split(','))
    .option('--csv', 'CSV, where standard input or the output has no name that says so', false)
    .option('--limit <n>', 'read so many rows at most', parseNumber)
    .option('--shard <i/n>', 'of every n rows only the i-th, from 1', parseShard)
    .addOption(
      new Option('--duplicates <how>', 'an id that was there before is a row error, or rows are known by their lines')
        .choices(['error', 'index'])
        .default('error'),
    )
    .option('--max-errors <n>', 'stop when more rows have failed (default: never)', parseNumber)
    .option('--ordered', 'results in the order of the rows, written at the end', false)
    .option('--force', 'go on although input, model or options have changed', false);

export function jobFiles(options: JobCommandOptions): JobFileOptions {
  const { model, threads, input, output, csv, keep, limit, shard, duplicates, maxErrors, ordered, force } = options;
  const files = { model, load: { threads }, input, output, csv };
  return { ...files, keep, limit, shard, duplicates, maxErrors, ordered, force };
}

function parseShard(text: string): { index: number; count: number } {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (!of) throw new InvalidArgumentError('It must be i/n, such as 1/4.');
  return { index: Number(index), count: Number(of) };
}

/** Runs a job with its progress on standard error. `done`: what has become of rows, such as 'scored'. */
export async function runWithStatus(
  options: JobCommandOptions,
  signal: AbortSignal,
  done: string,
  run: (onProgress: (progress: BatchProgress) => void) => Promise<BatchReport>,
): Promise<void> {
  const status = new BatchStatus();
  try {
    const result = await run((progress) => status.update(progress));
    status.clear();
    report(result, options, done);
  } catch (error) {
    status.clear();
    if (error === signal.reason && options.output !== '-') console.error(`winnow: interrupted. ${goOn}`);
    throw error;
  }
}

/** Standard output belongs to the results where they go there. */
function report(result: BatchReport, { output, json }: JobCommandOptions, done: string): void {
  if (result.errors > 0) process.exitCode = exitCodes.rowErrors;
  const { rows, skipped, errors, tokens, wasFinished } = result;
  if (json && output !== '-') return console.log(JSON.stringify({ rows, skipped, errors, tokens, wasFinished }));
  const failed = errors ? `, ${count(errors)} with an error` : '';
  if (wasFinished) return console.error(`${output} was finished: ${count(skipped)} rows${failed}`);
  const earlier = skipped ? `, ${count(skipped)} were there` : '';
  console.error(`${count(rows)} rows ${done}${earlier}${failed}; ${count(tokens)} tokens evaluated`);
}
