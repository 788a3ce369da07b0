// winnow eval: an evaluation of a file of items, to a file of its result.
import { Argument, Command } from 'commander';
import { goOn } from '../batch/errors.js';
import type { EvalResult, Metrics } from '../eval/index.js';
import { evaluateFile } from '../eval/index.js';
import type { EvalFileOptions, EvalTaskName } from '../options.js';
import { evalTaskNames } from '../options.js';
import { BatchStatus } from './batch-progress.js';
import { exitCodes, parseNumber, runCommand } from './command.js';
import { addEngineOptions, type EngineCommandOptions } from './options.js';
import { count } from './terminal.js';

interface EvalCommandOptions extends EngineCommandOptions {
  data: string;
  output: string;
  judge?: string;
  classifier?: string;
  limit?: number;
  seed: number;
  samples: number;
  temperature?: number;
  topP: number;
  maxTokens?: number;
  force: boolean;
}

export const evalCommand = new Command('eval')
  .description('evaluate a model on a file of items; resumes where it stopped')
  .addArgument(new Argument('<task>', 'what is evaluated').choices(evalTaskNames))
  .requiredOption('-d, --data <file>', 'items: JSON lines, .csv or .parquet, also .gz and .zst')
  .requiredOption('-o, --output <file>', 'JSON file of the result; <file>.rows.jsonl holds what is done so far')
  .option('--judge <model>', 'a model that judges, for lamda, pairwise, bold and toxigen-generate (default: the model)')
  .option('--classifier <file>', 'ES module that grades texts, for bold and toxigen-generate (default: the judge)')
  .option('--limit <n>', 'read so many items at most', parseNumber)
  .option('--seed <n>', 'of what is drawn, and of the bootstrap', parseNumber, 0)
  .option('--samples <n>', 'chains of thought per question, for gsm8k', parseNumber, 1)
  .option('--temperature <t>', 'of what is generated (default: 0, and 0.7 for several samples)', parseNumber)
  .option('--top-p <p>', 'of what is generated: keep the likeliest tokens of this mass; 1 = all', parseNumber, 1)
  .option('--max-tokens <n>', "longest text to generate (default: the task's)", parseNumber)
  .option('--force', 'go on although data, model or options have changed', false)
  .addHelpText(
    'after',
    `
What each task reads is in docs/evaluations.md. Examples:
  winnow eval truthfulqa --data truthfulqa.jsonl --output truthfulqa.json
  winnow eval gsm8k --data gsm8k.jsonl --output gsm8k.json --samples 8 --limit 100
  winnow eval pairwise --data pairs.jsonl --output pairs.json --judge judge.gguf`,
  )
  .action((task: EvalTaskName, options: EvalCommandOptions) => runCommand((signal) => evaluate(task, options, signal)));
addEngineOptions(evalCommand);

async function evaluate(task: EvalTaskName, options: EvalCommandOptions, signal: AbortSignal): Promise<void> {
  const { model, threads, json, ...rest } = options;
  const status = new BatchStatus();
  const onProgress: EvalFileOptions['onProgress'] = (progress) => status.update(progress);
  try {
    const result = await evaluateFile({ ...rest, task, model, load: { threads }, signal, onProgress });
    status.clear();
    report(result, json);
  } finally {
    status.clear();
    if (signal.aborted) console.error(`winnow: interrupted. ${goOn}`);
  }
}

function report({ rows: _, ...figures }: EvalResult, json: boolean): void {
  if (figures.errors > 0) process.exitCode = exitCodes.rowErrors;
  if (json) return console.log(JSON.stringify(figures));
  const { task, items, errors, metrics, groups = {} } = figures;
  const failed = errors ? `, ${count(errors)} with an error` : '';
  console.log(`${task}, ${count(items)} items${failed}\n\n${metricLines(metrics)}`);
  for (const [group, ofGroup] of Object.entries(groups)) console.log(`\n${group}\n${metricLines(ofGroup)}`);
}

/** One line per figure, with its 95 % interval. */
function metricLines(metrics: Metrics): string {
  const width = Math.max(...Object.keys(metrics).map(({ length }) => length));
  const lines = Object.entries(metrics).map(([name, { value, low, high, count: items }]) => {
    const interval = low === null || high === null ? '' : ` (${figure(low)}–${figure(high)})`;
    return `  ${name.padEnd(width)}  ${value === null ? 'none' : figure(value)}${interval}, ${count(items)} items`;
  });
  return lines.join('\n');
}

const figure = (value: number) => value.toPrecision(4);
