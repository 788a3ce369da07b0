// winnow batch: a file of rows to a file of answers.
import { Command, Option } from 'commander';
import { runBatch } from '../batch/index.js';
import type { BatchRecipeName, RowDrawing } from '../batch/index.js';
import { batchRecipeNames } from '../options.js';
import { parseNumber, runCommand } from './command.js';
import { addJobOptions, jobFiles, runWithStatus, type JobCommandOptions } from './job-options.js';
import { addEngineOptions } from './options.js';

interface BatchCommandOptions extends JobCommandOptions {
  openai: boolean;
  errors?: string;
  recipe?: BatchRecipeName;
  candidates?: number;
  maxTokens?: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  seed?: number;
  stop?: string[];
}

export const batchCommand = new Command('batch')
  .description("answer rows of a file, by a recipe or as OpenAI's Batch; resumes where it stopped")
  .requiredOption('-i, --input <file>', 'rows: JSON lines, .csv or .parquet, also .gz and .zst; - = standard input')
  .requiredOption('-o, --output <file>', 'results, by the same endings; - = standard output')
  .addOption(new Option('--recipe <name>', 'what becomes of a row (default: generate)').choices(batchRecipeNames))
  .option('--openai', "rows are requests of OpenAI's Batch files, and results its responses", false)
  .option('--errors <file>', 'with --openai: rows with an error (default: <output>.errors.jsonl)')
  .option('-n, --candidates <n>', 'answers to draw, for recipes that choose among several (default: 16)', parseNumber)
  .option('--max-tokens <n>', 'longest answer, in tokens (default: 256)', parseNumber)
  .option('--temperature <t>', 'divides the logits; 0 = the likeliest token (default: 1)', parseNumber)
  .option('--top-k <k>', 'draw from the k likeliest tokens; 0 = from all (default: 0)', parseNumber)
  .option('--top-p <p>', 'draw from the likeliest tokens of this mass; 1 = from all (default: 1)', parseNumber)
  .option('--min-p <p>', 'drop tokens less likely than this share of the likeliest; 0 = none (default: 0)', parseNumber)
  .option('--seed <n>', "what every row's own seed is made of (default: 0)", parseNumber)
  .option('--stop <text...>', 'texts that end an answer')
  .addHelpText(
    'after',
    `
A row is {"id", "prompt" | "messages"}, perhaps with "maxTokens", "temperature" and so on of its own. Examples:
  winnow batch --input prompts.jsonl --output texts.jsonl --max-tokens 64
  winnow batch --input dialogues.jsonl --output replies.jsonl --recipe lamda --candidates 8
  winnow batch --openai --input requests.jsonl --output responses.jsonl --errors failed.jsonl`,
  )
  .action((options: BatchCommandOptions) => runCommand((signal) => batch(options, signal)));
addJobOptions(batchCommand);
addEngineOptions(batchCommand);

async function batch(options: BatchCommandOptions, signal: AbortSignal): Promise<void> {
  const { openai, errors, recipe, candidates } = options;
  const how = { format: openai ? 'openai' : 'rows', recipe, candidates, errorOutput: errors } as const;
  await runWithStatus(options, signal, 'answered', (onProgress) =>
    runBatch({ ...jobFiles(options), ...how, drawing: drawingOf(options), signal, onProgress }),
  );
}

function drawingOf({ maxTokens, temperature, topK, topP, minP, seed, stop }: BatchCommandOptions): RowDrawing {
  const named = Object.entries({ maxTokens, temperature, topK, topP, minP, seed, stop });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}
