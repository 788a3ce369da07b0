// winnow recipe: a published system on an example, its events as they come.
import { Argument, Command } from 'commander';
import { OptionError } from '../errors.js';
import type { Model } from '../index.js';
import type { RecipeReport } from '../recipes/index.js';
import { loadPrompts, RecipeRun } from '../recipes/index.js';
import { exampleLines, parseNumber, runCommand } from './command.js';
import { loadWithProgress } from './load.js';
import { addEngineOptions, type EngineCommandOptions } from './options.js';
import type { Example, ExampleOptions } from './recipe-examples.js';
import { examples } from './recipe-examples.js';
import { count, oneLine, StatusLine } from './terminal.js';

interface RecipeCommandOptions extends EngineCommandOptions {
  message?: string;
  count?: number;
  maxTokens?: number;
  seed?: number;
  prompts?: string;
  printPrompts: boolean;
  output?: string;
}

const longestName = Math.max(...Object.keys(examples).map((name) => name.length));
const list = Object.entries(examples)
  .map(([name, { system, description }]) => `  ${name.padEnd(longestName)}  ${system}: ${description}`)
  .join('\n');

export const recipeCommand = new Command('recipe')
  .description('run a published system on a small example, or on your own message')
  .addArgument(new Argument('<name>', 'which one').choices(Object.keys(examples)))
  .option('-m, --message <text>', "the user's message or question (default: an example of ours)")
  .option('-n, --count <n>', 'candidates, samples, rounds or rows (default: the recipe’s)', parseNumber)
  .option('--max-tokens <n>', 'longest text of each draw (default: the recipe’s)', parseNumber)
  .option('--seed <n>', 'the same seed draws the same (default: random)', parseNumber)
  .option('--prompts <file>', 'JSON file of wordings that replace ours')
  .option('--print-prompts', 'print our wordings as such a file, and end', false)
  .option('--output <folder>', 'where self-align writes its files (default: self-align)')
  .addHelpText('after', `\nRecipes:\n${list}`)
  .addHelpText(
    'after',
    exampleLines('recipe compare --seed 1', 'recipe best-of-n --count 4 --message "What is a comet?"'),
  )
  .action((name: string, options: RecipeCommandOptions) =>
    runCommand((signal) => recipe(examples[name], name, options, signal)),
  );
addEngineOptions(recipeCommand);

async function recipe(
  example: Example,
  name: string,
  options: RecipeCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  if (options.printPrompts) return console.log(promptsAsFile(example, name));
  const { message, count, maxTokens, seed, output } = options;
  const prompts = options.prompts === undefined ? undefined : await promptsOf(example, name, options.prompts);
  const model = await loadWithProgress(options.model, { threads: options.threads, signal });
  try {
    await show(model, example, { message, count, maxTokens, seed, output, prompts, signal }, options.json);
  } finally {
    await model.close();
  }
}

/** Lines as arrays: longer texts stay readable. */
function promptsAsFile({ prompts }: Example, name: string): string {
  if (!prompts) throw noPrompts(name);
  const lines = Object.entries(prompts).map(([key, text]) => [key, text.includes('\n') ? text.split('\n') : text]);
  return JSON.stringify(Object.fromEntries(lines), null, 2);
}

async function promptsOf({ prompts }: Example, name: string, file: string) {
  if (!prompts) throw noPrompts(name);
  return loadPrompts(file);
}

function noPrompts(name: string): OptionError {
  return new OptionError('ERR_OPTION_VALUE', `${name} has no wordings to replace.`, 'prompts', name);
}

async function show(model: Model, example: Example, options: ExampleOptions, json: boolean): Promise<void> {
  const running = example.run(model, options);
  if (running instanceof RecipeRun) return showRun(running, json);
  let rows = 0;
  for await (const row of running) {
    rows++;
    console.log(JSON.stringify(row));
  }
  if (!json) console.error(`${count(rows)} rows`);
}

async function showRun(run: RecipeRun<{ type: string }, object>, json: boolean): Promise<void> {
  const status = new StatusLine();
  for await (const event of run) {
    const line = lineOf(event);
    if (!json && line !== undefined) {
      status.clear();
      console.log(line);
    }
    if ('stage' in event && event.type === 'progress') status.update(progressOf(event));
  }
  status.clear();
  const { report, ...result } = await run.result();
  console.log(json ? JSON.stringify({ ...result, report }) : `\n${JSON.stringify(result, null, 2)}`);
  if (!json) console.error(summaryOf(report));
}

function progressOf({ stage, done, total }: { stage: string; done: number; total: number | null }): string {
  return total === null ? `${stage} …` : `${stage}: ${done} of ${total}`;
}

const longestLine = 200; // Characters.

/** Everything but progress and the end, which have places of their own. */
function lineOf({ type, ...facts }: { type: string }): string | undefined {
  if (type === 'progress' || type === 'finish') return undefined;
  const told = Object.entries(facts).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const line = `${type.padEnd(10)} ${oneLine(told.join(' · '))}`;
  return line.length > longestLine ? `${line.slice(0, longestLine)}…` : line;
}

function summaryOf({ asked, dropped, usage, seed }: RecipeReport): string {
  const calls = asked.reduce((sum, one) => sum + one.count, 0);
  return (
    `${count(calls)} draws, questions and calls in ${count(asked.length)} requests; ` +
    `${count(usage.evaluatedPromptTokens)} prompt tokens evaluated, ${count(usage.generatedTokens)} generated; ` +
    `${count(dropped.length)} dropped; seed ${seed}`
  );
}
