import type { Message, Model, Prefix } from '../index.js';
import { checkEntries, checkFunction, checkInteger } from '../options/checks.js';
import { resolveMessages } from '../options.js';
import type { LamdaPrompts } from './prompts/lamda.js';
import { lamdaPrompts } from './prompts/lamda.js';
import { fill, withPrompts } from './prompts.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import type { FoundSnippet, Tools } from './tools/tool.js';
import { askToolset } from './tools/tool.js';
import { asLines, oneLine } from './text.js';
import type { Drawing, RecipeWork } from './work.js';

// LaMDA's tool loop (arXiv 2201.08239, section 6.2): Base drafts, Research looks up or answers.

export interface LamdaToolsOptions extends RecipeOptions {
  /** The conversation, ending in the user's message. */
  messages: readonly Message[];
  /** Asked in this order. LaMDA's: calculator, translator, retrieval. */
  tools: Tools;
  /** Research may ask the tools so often; after that it has to answer. 0 to 16. @default 4, as published */
  rounds?: number;
  /** How the draft and Research's lines are drawn. @default maxTokens 64, temperature 0 */
  drawing?: Drawing;
  prompts?: Partial<LamdaPrompts>;
}

/** One question to the tools. */
export interface LamdaRound {
  query: string;
  /** All that the tools gave. */
  found: FoundSnippet[];
  /** Which of them was shown; the same query again shows the next. null = there was none (left). */
  shown: FoundSnippet | null;
}

export interface LamdaToolsResult {
  answer: string;
  draft: string;
  rounds: LamdaRound[];
  /** The snippets that were shown, with their sources. */
  citations: FoundSnippet[];
  /** Research wanted to look up more than `rounds` allow. */
  outOfRounds: boolean;
}

export type LamdaToolsPartial =
  { type: 'draft'; text: string } | ({ type: 'lookup' } & LamdaRound) | { type: 'answer'; text: string };

type Settings = Required<Pick<LamdaToolsOptions, 'messages' | 'tools' | 'rounds' | 'drawing'>> & {
  prompts: LamdaPrompts;
};

/**
 * Drafts an answer, looks up what should be looked up, and answers.
 *
 * @example
 * const tools = { calculator, translator: async () => [], retrieval: createRetrieval(documents) };
 * const { answer, citations } = await lamdaWithTools(model, { messages, tools }).result();
 */
export function lamdaWithTools(
  model: Model,
  options: LamdaToolsOptions,
): RecipeRun<LamdaToolsPartial, LamdaToolsResult> {
  const settings = resolve(options);
  return new RecipeRun((run) => answerWithTools(run, model, settings), options);
}

function resolve(options: LamdaToolsOptions): Settings {
  checkRecipeNames(options, ['messages', 'tools', 'rounds', 'drawing', 'prompts']);
  const tools = checkEntries('tools', options.tools, 1, 16, 'tools');
  for (const [name, tool] of tools) checkFunction(`tools.${name}`, tool);
  return {
    messages: resolveMessages(options.messages),
    tools: options.tools,
    rounds: checkInteger('rounds', options.rounds ?? 4, 0, 16),
    drawing: { maxTokens: 64, temperature: 0, ...options.drawing },
    prompts: withPrompts(lamdaPrompts, options.prompts),
  };
}

async function answerWithTools(
  run: RecipeWork<LamdaToolsPartial>,
  model: Model,
  settings: Settings,
): Promise<LamdaToolsResult> {
  const { messages, prompts, drawing } = settings;
  const pinned = await run.prefill(model, 'research', { prompt: prompts.research });
  const prompt = fill(prompts.conversation, { conversation: asLines(messages) });
  const asked = await run.prefill(pinned, 'research', { prompt });
  const draft = oneLine((await run.generate(asked, 'draft', { ...drawing, regex: / [^\n]{1,1000}\n/ })).text);
  run.emit({ type: 'draft', text: draft });
  const begun = await run.prefill(asked, 'research', { prompt: ` ${draft}\n` });
  return { draft, ...(await research(run, begun, settings)) };
}

async function research(
  run: RecipeWork<LamdaToolsPartial>,
  begun: Prefix,
  settings: Settings,
): Promise<Omit<LamdaToolsResult, 'draft'>> {
  const rounds: LamdaRound[] = [];
  let prefix = begun;
  for (;;) {
    const mustAnswer = rounds.length === settings.rounds;
    const { recipient, text } = await nextLine(run, prefix, settings, rounds.length, mustAnswer);
    if (recipient === 'User') return conclude(run, text, rounds, mustAnswer);
    const round = await lookUp(run, settings.tools, text, rounds);
    rounds.push(round);
    const { found, nothingFound } = settings.prompts;
    const snippet = fill(found, { snippet: round.shown ? oneLine(round.shown.text) : nothingFound });
    prefix = await run.prefill(prefix, 'research', { prompt: `TS, ${text}\n${snippet}` });
  }
}

/** The first word picks the recipient, as LaMDA's does; it is kept to the two by a regular expression. */
async function nextLine(
  run: RecipeWork<LamdaToolsPartial>,
  prefix: Prefix,
  { drawing }: Settings,
  round: number,
  mustAnswer: boolean,
): Promise<{ recipient: string; text: string }> {
  const regex = mustAnswer ? /User, [^\n]{1,1000}\n/ : /(TS|User), [^\n]{1,1000}\n/;
  const { text } = await run.generate(prefix, 'research', { ...drawing, regex }, [round]);
  const [, recipient = 'User', rest = text] = /^(TS|User), (.*)/.exec(text) ?? [];
  return { recipient, text: rest.trim() };
}

async function lookUp(
  run: RecipeWork<LamdaToolsPartial>,
  tools: Tools,
  query: string,
  earlier: readonly LamdaRound[],
): Promise<LamdaRound> {
  const { signal } = run;
  const { snippets, failures } = await run.call('tools', () => askToolset(tools, query, { signal }));
  for (const { tool, message } of failures) run.drop(`${tool}(${query})`, `it failed: ${message}`);
  const timesAsked = earlier.filter((round) => round.query === query).length;
  const round = { query, found: snippets, shown: snippets[timesAsked] ?? null };
  if (!round.shown) run.drop(query, snippets.length ? 'all that was found has been shown' : 'no tool knows it');
  run.emit({ type: 'lookup', ...round });
  return round;
}

function conclude(
  run: RecipeWork<LamdaToolsPartial>,
  answer: string,
  rounds: LamdaRound[],
  outOfRounds: boolean,
): Omit<LamdaToolsResult, 'draft'> {
  run.emit({ type: 'answer', text: answer });
  const citations = rounds.flatMap(({ shown }) => shown ?? []);
  return { answer, rounds, citations, outOfRounds };
}
