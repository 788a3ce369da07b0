// winnow score: a file of rows to a file of scores.
import { Command, InvalidArgumentError, Option } from 'commander';
import { goOn } from '../batch/errors.js';
import { dryRunScores, scoreFile } from '../batch/index.js';
import type { BatchReport, ScoreFileOptions } from '../batch/index.js';
import { OptionError } from '../errors.js';
import type { Questions } from '../index.js';
import { BatchStatus, duration } from './batch-progress.js';
import { exitCodes, parseNumber, readUserFile, runCommand } from './command.js';
import { addEngineOptions, type EngineCommandOptions } from './options.js';
import { count } from './terminal.js';

interface ScoreCommandOptions extends EngineCommandOptions {
  input: string;
  output: string;
  questions?: string;
  csv: boolean;
  keep?: string[];
  limit?: number;
  shard?: { index: number; count: number };
  duplicates: 'error' | 'index';
  maxErrors?: number;
  ordered: boolean;
  force: boolean;
  dryRun: boolean;
}

export const scoreCommand = new Command('score')
  .description('score rows of a file: log-likelihoods of continuations, answers to questions; resumes where it stopped')
  .requiredOption('-i, --input <file>', 'rows: JSON lines, .csv or .parquet, also .gz and .zst; - = standard input')
  .requiredOption('-o, --output <file>', 'results, by the same endings; - = standard output')
  .option('-q, --questions <file>', 'JSON file of questions, asked of every row that has none of its own')
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
  .option('--force', 'go on although input, model or options have changed', false)
  .option('--dry-run', 'count rows and tokens and estimate the time; write nothing', false)
  .addHelpText(
    'after',
    `
A row is {"id", "context" | "text" | "messages", "continuations": [text, …]}, or has questions instead. Examples:
  winnow score --input rows.jsonl --output scores.jsonl
  winnow score --input reviews.csv --output answers.csv --questions questions.json --keep product
  zcat rows.jsonl.gz | winnow score --input - --output - > scores.jsonl`,
  )
  .action((options: ScoreCommandOptions) => runCommand((signal) => score(options, signal)));
addEngineOptions(scoreCommand);

async function score(options: ScoreCommandOptions, signal: AbortSignal): Promise<void> {
  const { dryRun, json } = options;
  const status = new BatchStatus();
  const request = await requestOf(options, signal, (progress) => status.update(progress));
  if (dryRun) return reportDryRun(await dryRunScores(request), json);
  try {
    report(await scoreFile(request), options, () => status.clear());
  } finally {
    status.clear();
    if (signal.aborted && options.output !== '-') console.error(`winnow: interrupted. ${goOn}`);
  }
}

async function requestOf(
  options: ScoreCommandOptions,
  signal: AbortSignal,
  onProgress: ScoreFileOptions['onProgress'],
): Promise<ScoreFileOptions> {
  const { model, threads, input, output, csv, keep, limit, shard, duplicates, maxErrors, ordered, force } = options;
  const questions = options.questions === undefined ? undefined : await readQuestions(options.questions);
  const files = { model, load: { threads }, input, output, csv, questions };
  return { ...files, keep, limit, shard, duplicates, maxErrors, ordered, force, signal, onProgress };
}

async function readQuestions(file: string): Promise<Questions> {
  try {
    return JSON.parse(await readUserFile(file)) as Questions;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const expected = '{"name": {"type": "boolean", "instructions": "…"}, …}';
    const message = `${file} is not JSON: ${error.message}. Expected ${expected}`;
    throw new OptionError('ERR_OPTION_VALUE', message, 'questions', file);
  }
}

function parseShard(text: string): { index: number; count: number } {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (!of) throw new InvalidArgumentError('It must be i/n, such as 1/4.');
  return { index: Number(index), count: Number(of) };
}

/** Standard output belongs to the results where they go there. */
function report(result: BatchReport, { output, json }: ScoreCommandOptions, clear: () => void): void {
  clear();
  if (result.errors > 0) process.exitCode = exitCodes.rowErrors;
  const { rows, skipped, errors, tokens, wasFinished } = result;
  if (json && output !== '-') return console.log(JSON.stringify({ rows, skipped, errors, tokens, wasFinished }));
  const failed = errors ? `, ${count(errors)} with an error` : '';
  if (wasFinished) return console.error(`${output} was finished: ${count(skipped)} rows${failed}`);
  const earlier = skipped ? `, ${count(skipped)} were there` : '';
  console.error(`${count(rows)} rows scored${earlier}${failed}; ${count(tokens)} tokens evaluated`);
}

function reportDryRun(plan: { rows: number; errors: number; tokens: number; seconds: number }, json: boolean): void {
  if (json) return console.log(JSON.stringify(plan));
  const failed = plan.errors ? ` (${count(plan.errors)} would fail)` : '';
  console.log(`${count(plan.rows)} rows${failed}, ${count(plan.tokens)} tokens, about ${duration(plan.seconds)}`);
}
