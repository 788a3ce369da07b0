import type { Answers, BooleanQuestion, Message, Model, Prefix, Questions } from '../index.js';
import { checkEntries, checkFilledText, checkFunction, checkInteger } from '../options/checks.js';
import { maxCandidates, resolveMessages } from '../options.js';
import { indexOfHighest, sparrowScores } from './formulas/selection.js';
import type { SparrowPrompts } from './prompts/sparrow.js';
import { sparrowPrompts, sparrowRules } from './prompts/sparrow.js';
import { fill, withPrompts } from './prompts.js';
import type { Reward } from './reward.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import { asLines, oneLine, splitLast } from './text.js';
import type { Snippet, Tool } from './tools/tool.js';
import type { Drawing, RecipeWork } from './work.js';

// Sparrow's reranking (arXiv 2209.14375, section 2.6): candidates × rules as a tree on one context.

export interface SparrowOptions extends RecipeOptions {
  /** The conversation, ending in the user's message. */
  messages: readonly Message[];
  /** How many answers are drawn, 1 to 1,024; half of them with evidence where there is a search. @default 8, as published */
  candidates?: number;
  /** Questions that a yes answers where the rule is violated, by name. @default the 23 of Sparrow, in our words */
  rules?: Readonly<Record<string, string>>;
  /** The preference reward model. @default a question behind the candidate: the log-odds of yes */
  reward?: Reward;
  /** Finds evidence for a query that the model writes. @default none: all candidates go without */
  search?: Tool;
  /** How candidates are drawn. @default maxTokens 64, topP 0.8 */
  drawing?: Drawing;
  prompts?: Partial<SparrowPrompts>;
}

export interface SparrowAnswer {
  /** 0 … candidates − 1; those with evidence come last. */
  candidate: number;
  text: string;
  hasEvidence: boolean;
  reward: number;
  /** P(violated) by rule. */
  violations: Record<string, number>;
  /** What it is ranked by, 0 to 1. */
  score: number;
}

interface SparrowFigures {
  candidates: SparrowAnswer[];
  query: string | null;
  evidence: Snippet | null;
}

/** That every candidate violates a rule for certain is an outcome, not an error. */
export type SparrowResult = SparrowFigures &
  ({ outcome: 'chosen'; chosen: SparrowAnswer } | { outcome: 'none-passed'; chosen: null });

export type SparrowPartial =
  | { type: 'evidence'; query: string; evidence: Snippet | null }
  | { type: 'candidate'; text: string; hasEvidence: boolean; violations: Record<string, number> };

type Settings = Required<Pick<SparrowOptions, 'messages' | 'candidates' | 'rules'>> &
  Pick<SparrowOptions, 'reward' | 'search'> & { drawing: Drawing; prompts: SparrowPrompts; attributes: Questions };
type Judged = Omit<SparrowAnswer, 'candidate' | 'score'>;
type Work = RecipeWork<SparrowPartial>;

/**
 * Draws candidates, judges each by every rule and by a preference, and chooses by Sparrow's reranking score.
 *
 * @example
 * const { chosen } = await sparrow(model, { messages, search: createRetrieval(documents) }).result();
 */
export function sparrow(model: Model, options: SparrowOptions): RecipeRun<SparrowPartial, SparrowResult> {
  const settings = resolve(options);
  return new RecipeRun((run) => rerank(run, model, settings), options);
}

function resolve(options: SparrowOptions): Settings {
  const names = ['messages', 'candidates', 'rules', 'reward', 'search', 'drawing', 'prompts'];
  checkRecipeNames(options, names);
  const { reward, search } = options;
  if (reward !== undefined) checkFunction('reward', reward);
  if (search !== undefined) checkFunction('search', search);
  const rules = options.rules ?? sparrowRules;
  for (const [name, text] of checkEntries('rules', rules, 1, 399, 'rules')) checkFilledText(`rules.${name}`, text);
  const prompts = withPrompts(sparrowPrompts, options.prompts);
  return {
    messages: resolveMessages(options.messages),
    candidates: checkInteger('candidates', options.candidates ?? 8, 1, maxCandidates),
    rules,
    reward,
    search,
    drawing: { maxTokens: 64, topP: 0.8, ...options.drawing },
    prompts,
    attributes: attributesOf(rules, prompts, reward === undefined),
  };
}

// Names of rules are the user's: the preference has one that no rule can have.
const preference = ' preference';
const ruleName = (name: string) => `rule ${name}`;

function attributesOf(rules: Settings['rules'], prompts: SparrowPrompts, asksPreference: boolean): Questions {
  const ask = (instructions: string): BooleanQuestion => ({
    type: 'boolean',
    instructions,
    template: prompts.question,
  });
  const asked = Object.entries(rules).map(([name, text]) => [ruleName(name), ask(text)]);
  return Object.fromEntries(asksPreference ? [...asked, [preference, ask(prompts.preference)]] : asked) as Questions;
}

async function rerank(run: Work, model: Model, settings: Settings): Promise<SparrowResult> {
  const { messages, candidates, search } = settings;
  const context = await run.prefill(model, 'context', { messages });
  const found = search ? await findEvidence(run, model, settings, search) : { query: null, evidence: null };
  const withEvidence = found.evidence ? Math.floor(candidates / 2) : 0;
  const groups = [{ prefix: context, count: candidates - withEvidence, shown: null as Message[] | null }];
  if (withEvidence > 0) {
    const shown = withEvidenceShown(settings, found.query!, found.evidence!);
    const prefix = await run.prefill(model, 'context with evidence', { messages: shown });
    groups.push({ prefix, count: withEvidence, shown });
  }
  const judged = groups.map(({ prefix, count, shown }) => drawAndJudge(run, prefix, settings, count, shown));
  return { ...choose(run, (await Promise.all(judged)).flat()), ...found };
}

async function findEvidence(run: Work, model: Model, { messages, prompts }: Settings, search: Tool) {
  const { signal } = run;
  const prompt = fill(prompts.searchQuery, { conversation: asLines(messages) });
  const drawing = { maxTokens: 32, temperature: 0, regex: / [^\n]{1,200}\n/ };
  const query = oneLine((await run.generate(model, 'search query', { prompt, ...drawing })).text);
  const [first] = await run.call('search', () => search(query, { signal }));
  const evidence = first === undefined ? null : typeof first === 'string' ? { text: first } : first;
  if (!evidence) run.drop('candidates with evidence', `the search found nothing for "${query}"`);
  run.emit({ type: 'evidence', query, evidence });
  return { query, evidence };
}

function withEvidenceShown({ messages, prompts }: Settings, query: string, evidence: Snippet): Message[] {
  const { before, last } = splitLast(messages);
  const content = fill(prompts.withEvidence, { message: last.content, query, evidence: evidence.text });
  return [...before, { ...last, content }];
}

/** The leaves of the tree: every rule behind every candidate, in one request. `shown`: what was seen with evidence. */
async function drawAndJudge(
  run: Work,
  prefix: Prefix,
  settings: Settings,
  candidates: number,
  shown: readonly Message[] | null,
): Promise<Judged[]> {
  const { drawing, attributes, reward } = settings;
  const hasEvidence = shown !== null;
  const stage = hasEvidence ? 'candidates with evidence' : 'candidates';
  const options = { ...drawing, candidates, attributes, keep: {}, rank: () => 0 };
  const result = await run.turn(prefix, stage, options, (text, { answers }) => {
    run.emit({ type: 'candidate', text, hasEvidence, violations: violationsOf(answers) });
  });
  return Promise.all(
    result.candidates.map(async ({ text, answers }) => ({
      text,
      hasEvidence,
      violations: violationsOf(answers),
      reward: reward ? await rewardOf(run, reward, shown ?? settings.messages, text) : preferenceIn(answers),
    })),
  );
}

const rewardOf = (run: Work, reward: Reward, messages: readonly Message[], text: string) =>
  run.call('reward', () => reward(messages, text, { signal: run.signal }));

type AnyAnswers = Answers<Questions>;

function violationsOf(answers: AnyAnswers): Record<string, number> {
  const rules = Object.entries(answers).filter(([name]) => name !== preference);
  return Object.fromEntries(
    rules.map(([name, answer]) => [
      name.slice(ruleName('').length),
      answer.type === 'boolean' ? answer.probability : 0,
    ]),
  );
}

function preferenceIn(answers: AnyAnswers): number {
  const answer = answers[preference];
  return answer.type === 'boolean' ? answer.logits.yes - answer.logits.no : 0;
}

function choose(run: Work, judged: readonly Judged[]) {
  const scores = sparrowScores(
    judged.map(({ reward, violations }) => ({ reward, violations: Object.values(violations) })),
  );
  const candidates = judged.map((one, candidate) => ({ ...one, candidate, score: scores[candidate] }));
  const best = candidates[indexOfHighest(scores)] as SparrowAnswer | undefined;
  const chosen = best && best.score > 0 ? best : null;
  for (const { candidate, score, reward, violations } of candidates) {
    run.score(`candidate ${candidate}`, { score, reward, ...violations });
    if (candidate === chosen?.candidate) continue;
    run.drop(
      `candidate ${candidate}`,
      score > 0 ? `candidate ${chosen?.candidate} ranks higher` : 'it violates a rule for certain',
    );
  }
  return chosen
    ? { outcome: 'chosen' as const, chosen, candidates }
    : { outcome: 'none-passed' as const, chosen: null, candidates };
}
