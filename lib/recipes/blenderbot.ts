import type { Message, Model, Prefix } from '../index.js';
import { checkArray, checkFilledText, checkFunction, checkNumber } from '../options/checks.js';
import { resolveMessages } from '../options.js';
import { indexOfHighest, mean } from './formulas/selection.js';
import { LongTermMemory } from './long-term-memory.js';
import type { BlenderBotPrompts } from './prompts/blenderbot.js';
import { blenderBotPrompts, decisionLabels, topicChanges } from './prompts/blenderbot.js';
import { fill, withPrompts } from './prompts.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import { oneLine, splitLast } from './text.js';
import type { Tool } from './tools/tool.js';
import type { Drawing, RecipeWork } from './work.js';

// A turn of BlenderBot 3 (arXiv 2208.03188): decisions, knowledge, responses, memory, safety.

export interface BlenderBotOptions extends RecipeOptions {
  /** The conversation, ending in the user's message. */
  messages: readonly Message[];
  /** Kept by the caller; what the user says about themselves is added to it. @default an empty one */
  memory?: LongTermMemory;
  /** Finds documents for a query. @default none: nothing is looked up */
  search?: Tool;
  /** Any of these words, in the user's message or in the answer, flags it. @default none */
  flaggedWords?: readonly string[];
  /** So does this P(unsafe), above 0 to 1. @default 0.5, ours */
  unsafeThreshold?: number;
  /**
   * How responses are drawn. @default maxTokens 64, topP 0.9; as published at least 20 tokens, factual nucleus, no 3-gram of
   * the context or the response twice
   */
  drawing?: Drawing;
  prompts?: Partial<BlenderBotPrompts>;
}

export type KnowledgeSource = 'search' | 'memory' | 'entity';

/** A response, and the one piece of knowledge that it was given. */
export interface BlenderBotResponse {
  source: KnowledgeSource;
  knowledge: string;
  text: string;
  /** Mean log-probability per token: the likeliest is kept. */
  likelihood: number;
}

export interface BlenderBotResult {
  text: string;
  /** P of each decision; greedy, it is taken from 0.5 on. */
  decisions: { search: number; memory: number } | null;
  query: string | null;
  responses: BlenderBotResponse[];
  /** Whose turn was flagged; the text is then a change of topic. */
  flagged: 'user' | 'bot' | null;
  /** What was learned from the user's message. */
  remembered: string | null;
}

export type BlenderBotPartial =
  | { type: 'decision'; decision: 'search' | 'memory'; probability: number }
  | { type: 'knowledge'; source: KnowledgeSource; text: string }
  | ({ type: 'response' } & BlenderBotResponse)
  | { type: 'flag'; turn: 'user' | 'bot'; reason: string }
  | { type: 'memory'; text: string };

type Settings = Required<Pick<BlenderBotOptions, 'messages' | 'memory' | 'flaggedWords' | 'unsafeThreshold'>> & {
  search?: Tool;
  drawing: Drawing;
  prompts: BlenderBotPrompts;
};
type Work = RecipeWork<BlenderBotPartial>;

/**
 * @example
 * const memory = new LongTermMemory();
 * const { text, decisions } = await blenderBot(model, { messages, memory, search: createRetrieval(documents) }).result();
 */
export function blenderBot(model: Model, options: BlenderBotOptions): RecipeRun<BlenderBotPartial, BlenderBotResult> {
  const settings = resolve(options);
  return new RecipeRun((run) => turn(run, model, settings), options);
}

const published = {
  ...{ maxTokens: 64, minTokens: 20, topP: 0.9, factualNucleus: {} },
  ...{ noRepeatNgram: 3, ngramScope: 'context' as const },
};

function resolve(options: BlenderBotOptions): Settings {
  const names = ['messages', 'memory', 'search', 'flaggedWords', 'unsafeThreshold', 'drawing', 'prompts'];
  checkRecipeNames(options, names);
  const { search } = options;
  const isShare = (value: number) => value > 0 && value <= 1;
  const words = checkArray('flaggedWords', options.flaggedWords ?? [], 0, 100_000, 'words');
  return {
    messages: resolveMessages(options.messages),
    memory: options.memory ?? new LongTermMemory(),
    ...(search !== undefined && { search: checkFunction<Tool>('search', search) }),
    flaggedWords: words.map((word, index) => checkFilledText(`flaggedWords[${index}]`, word).toLowerCase()),
    unsafeThreshold: checkNumber('unsafeThreshold', options.unsafeThreshold ?? 0.5, 'above 0 and at most 1', isShare),
    drawing: { ...published, ...options.drawing },
    prompts: withPrompts(blenderBotPrompts, options.prompts),
  };
}

async function turn(run: Work, model: Model, settings: Settings): Promise<BlenderBotResult> {
  const { messages, prompts } = settings;
  const history = await run.prefill(model, 'history', {
    prompt: fill(prompts.history, { history: historyOf(messages) }),
  });
  const none = { query: null, responses: [], remembered: null };
  const said = splitLast(messages).last.content;
  if (await isFlagged(run, history, settings, 'user', said))
    return { text: changeOfTopic(run), decisions: null, flagged: 'user', ...none };
  const decisions = await decide(run, history, settings);
  const { query, knowledge } = await findKnowledge(run, history, settings, decisions);
  const responses = await respond(run, history, settings, knowledge);
  const best = keepLikeliest(run, responses);
  const remembered = await remember(run, history, settings);
  const answered = await run.prefill(history, 'safety', { prompt: `${prompts.response} ${best.text}\n` });
  const isBad = await isFlagged(run, answered, settings, 'bot', best.text);
  const text = isBad ? changeOfTopic(run) : best.text;
  return { text, decisions, query, responses, flagged: isBad ? 'bot' : null, remembered };
}

const historyOf = (messages: readonly Message[]) =>
  messages.map(({ role, content }) => `Person ${role === 'assistant' ? 2 : 1}: ${oneLine(content)}`).join('\n');

async function isFlagged(
  run: Work,
  behind: Prefix,
  { flaggedWords, unsafeThreshold, prompts }: Settings,
  turn: 'user' | 'bot',
  text: string,
): Promise<boolean> {
  const words = new Set(text.toLowerCase().match(/[\p{L}\p{N}']+/gu));
  const word = flaggedWords.find((flagged) => words.has(flagged));
  const question = { type: 'boolean', instructions: prompts.unsafe, template: '{instructions}' } as const;
  const unsafe =
    word === undefined ? (await run.classify(behind, 'safety', undefined, { unsafe: question })).unsafe.probability : 1;
  run.score(`the ${turn}'s turn`, { unsafe });
  if (unsafe < unsafeThreshold) return false;
  const reason = word === undefined ? `P(unsafe) is ${unsafe.toFixed(2)}` : `it has the word "${word}"`;
  run.drop(turn === 'bot' ? text : 'an answer', `the ${turn}'s turn is flagged: ${reason}`);
  run.emit({ type: 'flag', turn, reason });
  return true;
}

const changeOfTopic = (run: Work) => topicChanges[run.seedFor('topic') % topicChanges.length];

/** Both decisions in one request, each read as one of two labels. */
async function decide(run: Work, history: Prefix, { prompts, memory, search }: Settings) {
  const question = (suffix: string, labels: { yes: string; no: string }) => ({
    type: 'labels' as const,
    suffix,
    labels,
  });
  const answers = await run.classify(history, 'decisions', undefined, {
    search: question(prompts.searchDecision, decisionLabels.search),
    memory: question(prompts.memoryDecision, decisionLabels.memory),
  });
  const decisions = { search: answers.search.probabilities.yes, memory: answers.memory.probabilities.yes };
  run.score('decisions', decisions);
  for (const decision of ['search', 'memory'] as const)
    run.emit({ type: 'decision', decision, probability: decisions[decision] });
  if (decisions.search >= 0.5 && !search) run.drop('search', 'there is no search engine');
  if (decisions.memory >= 0.5 && memory.facts.length === 0) run.drop('memory', 'nothing is remembered yet');
  return decisions;
}

interface Knowledge {
  source: KnowledgeSource;
  text: string;
}

/** What is decided for; the topic at least. */
async function findKnowledge(
  run: Work,
  history: Prefix,
  settings: Settings,
  decisions: { search: number; memory: number },
): Promise<{ query: string | null; knowledge: Knowledge[] }> {
  const wantsSearch = decisions.search >= 0.5 && settings.search;
  const wantsMemory = decisions.memory >= 0.5 && settings.memory.facts.length > 0;
  const [searched, recalled] = await Promise.all([
    wantsSearch ? searchKnowledge(run, history, settings, wantsSearch) : { query: null, found: [] },
    wantsMemory ? recall(run, history, settings) : [],
  ]);
  const found = [...searched.found, ...recalled];
  const knowledge = found.length > 0 ? found : await topicOf(run, history, settings);
  for (const one of knowledge) run.emit({ type: 'knowledge', ...one });
  return { query: searched.query, knowledge };
}

const line = { maxTokens: 32, temperature: 0, regex: / [^\n]{1,300}\n/ } as const;

async function searchKnowledge(run: Work, history: Prefix, { prompts }: Settings, search: Tool) {
  const query = oneLine((await run.generate(history, 'query', { ...line, prompt: prompts.query })).text);
  const [first] = await run.call('search', () => search(query, { signal: run.signal }));
  if (first === undefined) {
    run.drop('search', `nothing was found for "${query}"`);
    return { query, found: [] };
  }
  const document = oneLine(typeof first === 'string' ? first : first.text);
  const prompt = fill(prompts.searchKnowledge, { document });
  const text = oneLine((await run.generate(history, 'knowledge', { ...line, prompt })).text);
  return { query, found: [{ source: 'search' as const, text }] };
}

const mostMemories = 5;

/** One of the facts that fit, word by word. */
async function recall(run: Work, history: Prefix, { prompts, memory, messages }: Settings): Promise<Knowledge[]> {
  const facts = await memory.relevant(splitLast(messages).last.content, mostMemories);
  const prompt = fill(prompts.accessMemory, { memories: facts.join('; ') });
  const choices = facts.map((fact) => ` ${fact}`);
  const { text } = await run.generate(history, 'memory', { temperature: 0, prompt, choices });
  return [{ source: 'memory', text: oneLine(text) }];
}

async function topicOf(run: Work, history: Prefix, { prompts }: Settings): Promise<Knowledge[]> {
  const drawing = { maxTokens: 8, temperature: 0, regex: / [^\n]{1,40}\n/ };
  const text = oneLine((await run.generate(history, 'entity', { ...drawing, prompt: prompts.entity })).text);
  return [{ source: 'entity', text }];
}

/** Separate conditioning (section 3.3): one response per piece of knowledge. */
function respond(
  run: Work,
  history: Prefix,
  { prompts, drawing }: Settings,
  knowledge: readonly Knowledge[],
): Promise<BlenderBotResponse[]> {
  const cues = { search: prompts.knowledge, memory: prompts.personalFact, entity: prompts.topic };
  return Promise.all(
    knowledge.map(async ({ source, text: known }, index) => {
      const prompt = fill(cues[source], { text: known }) + prompts.response;
      const options = { ...drawing, prompt, stop: '\n', logprobs: true };
      const { text, logprobs = [] } = await run.generate(history, 'response', options, [index]);
      const response = { source, knowledge: known, text: oneLine(text), likelihood: mean(logprobs) };
      run.emit({ type: 'response', ...response });
      return response;
    }),
  );
}

function keepLikeliest(run: Work, responses: readonly BlenderBotResponse[]): BlenderBotResponse {
  const best = Math.max(0, indexOfHighest(responses.map(({ likelihood }) => likelihood)));
  responses.forEach(({ source, likelihood }, index) => {
    run.score(`response by ${source}`, { likelihood });
    if (index !== best) run.drop(`response by ${source}`, `the one by ${responses[best].source} is likelier`);
  });
  return responses[best];
}

async function remember(run: Work, history: Prefix, { prompts, memory }: Settings): Promise<string | null> {
  const { text } = await run.generate(history, 'memory writing', { ...line, prompt: prompts.writeMemory });
  const said = oneLine(text);
  const fact = `Person 1 ${said}`;
  if (/^(?:says |said |has said )?nothing\b/i.test(said) || !memory.add(fact)) return null;
  run.emit({ type: 'memory', text: fact });
  return fact;
}
