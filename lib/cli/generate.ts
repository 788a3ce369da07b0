// winnow generate: one answer, streamed.
import { Command } from 'commander';
import type { GenerateOptions, GenerationResult } from '../index.js';
import { OptionError } from '../errors.js';
import { exampleLines, parseNumber, readStdin, runCommand } from './command.js';
import { loadWithProgress } from './load.js';
import {
  addDrawingOptions,
  addEngineOptions,
  type DrawingCommandOptions,
  type EngineCommandOptions,
} from './options.js';
import { count, seconds } from './terminal.js';

interface GenerateCommandOptions extends EngineCommandOptions, DrawingCommandOptions {
  prompt?: string;
  message?: string;
  topP: number;
  minP: number;
  stop?: string[];
}

export const generateCommand = new Command('generate')
  .description('continue a prompt or answer a message; without either, standard input is the prompt')
  .option('-p, --prompt <text>', 'text to continue, as it is')
  .option('-m, --message <text>', "a message, put into the model's chat template")
  .option('--top-p <p>', 'draw from the likeliest tokens of this mass; 1 = from all', parseNumber, 1)
  .option('--min-p <p>', 'drop tokens less likely than this share of the likeliest; 0 = none', parseNumber, 0)
  .option('--stop <text...>', 'texts that end the answer')
  .addHelpText(
    'after',
    exampleLines(
      'generate --prompt "The capital of France is" --max-tokens 8 --temperature 0',
      'generate --message "What is a comet?" --seed 1',
    ),
  )
  .action((options: GenerateCommandOptions) => runCommand((signal) => generate(options, signal)));
addDrawingOptions(generateCommand, { maxTokens: 256, topK: 0 });
addEngineOptions(generateCommand);

async function generate(options: GenerateCommandOptions, signal: AbortSignal): Promise<void> {
  const request = await requestOf(options);
  const model = await loadWithProgress(options.model, { threads: options.threads, signal });
  try {
    const generation = model.generate({ ...request, signal });
    for await (const event of generation) {
      if (event.type === 'token' && !options.json) process.stdout.write(event.text);
    }
    report(await generation.result(), options.json);
  } finally {
    await model.close();
  }
}

async function requestOf(options: GenerateCommandOptions): Promise<GenerateOptions> {
  const { maxTokens, temperature, topK, topP, minP, seed, stop } = options;
  const drawing = { maxTokens, temperature, topK, topP, minP, seed, stop };
  if (options.message !== undefined && options.prompt !== undefined) {
    const { message } = options;
    throw new OptionError('ERR_OPTION_VALUE', 'Give either --prompt or --message, not both.', 'message', message);
  }
  if (options.message !== undefined) return { ...drawing, messages: [{ role: 'user', content: options.message }] };
  return { ...drawing, prompt: options.prompt ?? (await readStdin()) };
}

function report(result: GenerationResult, json: boolean): void {
  const { text, reason, stopString, seed, usage, timings } = result;
  if (json) return console.log(JSON.stringify({ text, reason, stopString, seed, usage, timings }));
  process.stdout.write('\n');
  const perSecond = (1000 * usage.generatedTokens) / (timings.generateMs || Infinity);
  console.error(
    `${count(usage.generatedTokens)} tokens, ${count(perSecond)} tokens/s, first token after ` +
      `${seconds(timings.firstTokenMs / 1000)}; ended by ${reason}; seed ${seed}`,
  );
}
