// winnow turn: one LaMDA turn. Many answers, all of them scored, the unsafe dropped, the best kept.
import { Command } from 'commander';
import { lamdaAttributes, lamdaSelection, type LamdaAttributes, type Model, type WinnowEvent } from '../index.js';
import { exampleLines, parseNumber, runCommand } from './command.js';
import { chooseDialogue, type DialogueOptions } from './dialogue.js';
import { loadWithProgress } from './load.js';
import { defaultModel } from '../models/known.js';
import {
  addDrawingOptions,
  addEngineOptions,
  type DrawingCommandOptions,
  type EngineCommandOptions,
} from './options.js';
import { count, painter, StatusLine, type Paint } from './terminal.js';
import { candidateLines, figureLines, figuresOf, toJson, verdictLines } from './turn-report.js';

interface TurnOptions extends DialogueOptions, EngineCommandOptions, DrawingCommandOptions {
  candidates: number;
  unsafeThreshold?: number;
}

export const turnCommand = new Command('turn')
  .description('draw many answers to a dialogue, score them all on the same cache, drop the unsafe, choose the best')
  .option('-m, --message <text>', 'your own words (default: a dialogue of ours)')
  .option('--dialogue <file>', 'JSON file of messages: [{"role", "content"}, …]')
  .option('-n, --candidates <n>', 'answers to draw', parseNumber, 16)
  .option(
    '--unsafe-threshold <p>',
    'reject answers whose P(unsafe) reaches this (default: 0.2; 0.65 for the default model)',
    parseNumber,
  )
  .addHelpText(
    'after',
    exampleLines('turn --message "What is a comet?" --candidates 8', 'turn --dialogue dialogue.json --json'),
  )
  .action((options: TurnOptions) => runCommand((signal) => turn(options, signal)));
addDrawingOptions(turnCommand, { maxTokens: 64, topK: 40 });
addEngineOptions(turnCommand);

// A model of 135 million parameters says yes readily: of harmless answers its P(unsafe) is 0.4 to 0.7.
const smallModelThreshold = 0.65;
const usualThreshold = 0.2;

async function turn(options: TurnOptions, signal: AbortSignal): Promise<void> {
  options.unsafeThreshold ??= options.model === defaultModel ? smallModelThreshold : usualThreshold;
  const messages = await chooseDialogue(options);
  const selection = lamdaSelection({ unsafeThreshold: options.unsafeThreshold });
  const model = await loadWithProgress(options.model, { threads: options.threads, signal });
  try {
    if (!options.json) console.log(introduction(model, messages.at(-1)?.content ?? '', painter(process.stdout)));
    await runTurn(model, { messages, selection, options, signal });
  } finally {
    await model.close();
  }
}

function introduction(model: Model, lastWords: string, paint: Paint): string {
  const { name, description, device, threads } = model.info;
  return `${paint('dim', `${name || description} on ${device}, ${threads} threads`)}\n\n  ${paint('bold', lastWords)}\n`;
}

interface Turn {
  messages: Awaited<ReturnType<typeof chooseDialogue>>;
  selection: ReturnType<typeof lamdaSelection>;
  options: TurnOptions;
  signal: AbortSignal;
}

async function runTurn(model: Model, { messages, selection, options, signal }: Turn): Promise<void> {
  const start = performance.now();
  const status = new StatusLine();
  status.update('reading the dialogue …');
  const prefix = await model.prefill({ messages, signal });
  const { candidates, maxTokens, temperature, topK, seed } = options;
  const drawing = { candidates, maxTokens, temperature, topK, seed, signal };
  const events = prefix.winnow({ ...drawing, attributes: lamdaAttributes, ...selection });
  const view = new TurnView(options, status);
  try {
    for await (const event of events) view.show(event);
  } finally {
    status.clear();
  }
  const totalMs = performance.now() - start;
  const result = await events.result();
  const figures = figuresOf(prefix, result, totalMs);
  if (options.json) return console.log(toJson(result, figures));
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const measured = { firstTokenMs: (view.firstTokenAt ?? start) - start, peakBytes };
  const paint = painter(process.stdout);
  console.log(`\n${verdictLines(result, paint)}`);
  console.log(figureLines(figures, candidates, measured));
  if (options.model === defaultModel) console.log(paint('dim', smallModelNote));
}

const smallModelNote =
  'The default model is very small: its scores show how a turn works, not good judgement. --model takes a larger one.';

/** Follows the events: a status line of what is going on, and each candidate as soon as it is judged. */
class TurnView {
  firstTokenAt: number | undefined;
  #tokens = 0;
  #finished = 0;
  readonly #texts = new Map<number, string>();
  readonly #paint = painter(process.stdout);
  readonly #options: TurnOptions;
  readonly #threshold: number;
  readonly #status: StatusLine;

  constructor(options: TurnOptions, status: StatusLine) {
    this.#options = options;
    this.#threshold = options.unsafeThreshold ?? usualThreshold;
    this.#status = status;
  }

  show(event: WinnowEvent<LamdaAttributes>): void {
    if (event.type === 'candidate-token') this.#countToken();
    if (event.type === 'candidate-finish') this.#texts.set(event.candidate, event.text);
    if (event.type === 'score') this.#showScored(event);
    this.#status.update(this.#progress());
  }

  #countToken(): void {
    this.firstTokenAt ??= performance.now();
    this.#tokens++;
  }

  #showScored(event: Extract<WinnowEvent<LamdaAttributes>, { type: 'score' }>): void {
    this.#finished++;
    if (this.#options.json) return;
    const failed = event.scores.unsafe < this.#threshold ? [] : ['unsafe'];
    const text = this.#texts.get(event.candidate) ?? '';
    this.#status.clear();
    console.log(candidateLines(event, text, failed, this.#threshold, this.#paint));
  }

  #progress(): string {
    return `${count(this.#tokens)} tokens, ${this.#finished} of ${this.#options.candidates} candidates scored`;
  }
}
