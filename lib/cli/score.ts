// winnow score: a file of rows to a file of scores.
import { Command } from 'commander';
import { dryRunScores, scoreFile } from '../batch/index.js';
import type { ScoreFileOptions } from '../batch/index.js';
import { OptionError } from '../errors.js';
import type { Questions } from '../index.js';
import { duration } from './batch-progress.js';
import { readUserFile, runCommand } from './command.js';
import { addJobOptions, jobFiles, runWithStatus, type JobCommandOptions } from './job-options.js';
import { addEngineOptions } from './options.js';
import { count } from './terminal.js';

interface ScoreCommandOptions extends JobCommandOptions {
  questions?: string;
  dryRun: boolean;
}

export const scoreCommand = new Command('score')
  .description('score rows of a file: log-likelihoods of continuations, answers to questions; resumes where it stopped')
  .requiredOption('-i, --input <file>', 'rows: JSON lines, .csv or .parquet, also .gz and .zst; - = standard input')
  .requiredOption('-o, --output <file>', 'results, by the same endings; - = standard output')
  .option('-q, --questions <file>', 'JSON file of questions, asked of every row that has none of its own')
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
addJobOptions(scoreCommand);
addEngineOptions(scoreCommand);

async function score(options: ScoreCommandOptions, signal: AbortSignal): Promise<void> {
  const questions = options.questions === undefined ? undefined : await readQuestions(options.questions);
  const request: ScoreFileOptions = { ...jobFiles(options), questions, signal };
  if (options.dryRun) return reportDryRun(await dryRunScores(request), options.json);
  await runWithStatus(options, signal, 'scored', (onProgress) => scoreFile({ ...request, onProgress }));
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

function reportDryRun(plan: { rows: number; errors: number; tokens: number; seconds: number }, json: boolean): void {
  if (json) return console.log(JSON.stringify(plan));
  const failed = plan.errors ? ` (${count(plan.errors)} would fail)` : '';
  console.log(`${count(plan.rows)} rows${failed}, ${count(plan.tokens)} tokens, about ${duration(plan.seconds)}`);
}
