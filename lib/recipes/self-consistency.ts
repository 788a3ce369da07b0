import type { CandidateCompletion, Model, Prefix } from '../index.js';
import { checkFilledText, checkFunction, checkInteger, checkOneOf } from '../options/checks.js';
import { maxCandidates } from '../options.js';
import type { Tally, Vote } from './formulas/votes.js';
import { isDecided, pathWeight, tallyVotes } from './formulas/votes.js';
import type { ReasoningPrompts } from './prompts/reasoning.js';
import { reasoningPrompts } from './prompts/reasoning.js';
import { fill, withPrompts } from './prompts.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import type { Drawing, RecipeWork } from './work.js';

// Chain of thought (arXiv 2201.11903) and self-consistency (arXiv 2203.11171).

export interface SelfConsistencyOptions extends RecipeOptions {
  question: string;
  /** Reasoning paths, 1 to 1,024; 1 = plain chain of thought. @default 40, as published */
  samples?: number;
  /** Paths that are drawn together; between them, and within, it may be decided. @default 8 */
  atOnce?: number;
  /** Stop as soon as no outcome of the remaining votes can change the answer. @default true */
  stopEarly?: boolean;
  /** 'path': exp of a path's mean log-probability (the paper's normalised weighted sum). @default 'none', as published */
  weights?: 'none' | 'path';
  /** Reads the answer off a path; null = there is none. @default the first number behind "The answer is" */
  parse?: (text: string) => string | null;
  /** @default maxTokens 96, temperature 0.7, topK 40, as published */
  drawing?: Drawing;
  prompts?: Partial<ReasoningPrompts>;
}

export interface Path {
  sample: number;
  text: string;
  /** null = none could be read: no vote. */
  answer: string | null;
  weight: number;
}

export interface SelfConsistencyResult {
  /** null = no path had one. */
  answer: string | null;
  tallies: Tally[];
  /** Those that were drawn to their end. */
  paths: Path[];
  /** Paths that were not needed any more. */
  saved: number;
}

export type SelfConsistencyPartial = { type: 'vote' } & Path & { tallies: Tally[] };

type Settings = Required<Omit<SelfConsistencyOptions, 'seed' | 'signal' | 'prompts'>> & { prompts: ReasoningPrompts };
type Work = RecipeWork<SelfConsistencyPartial>;

/**
 * Draws reasoning paths behind worked examples and takes the answer that most of them come to. With `stopEarly` the answer
 * is the one that all paths would have given, for fewer tokens.
 *
 * @example
 * const { answer, saved } = await selfConsistency(model, { question: 'Ada has 3 cats with 4 legs each. How many legs?' }).result();
 */
export function selfConsistency(
  model: Model,
  options: SelfConsistencyOptions,
): RecipeRun<SelfConsistencyPartial, SelfConsistencyResult> {
  const settings = resolve(options);
  return new RecipeRun((run) => vote(run, model, settings), options);
}

/** One greedy reasoning path (arXiv 2201.11903). */
export function chainOfThought(
  model: Model,
  options: Omit<SelfConsistencyOptions, 'samples' | 'atOnce' | 'stopEarly' | 'weights'>,
): RecipeRun<SelfConsistencyPartial, SelfConsistencyResult> {
  return selfConsistency(model, { ...options, samples: 1, drawing: { temperature: 0, ...options.drawing } });
}

function resolve(options: SelfConsistencyOptions): Settings {
  const names = ['question', 'samples', 'atOnce', 'stopEarly', 'weights', 'parse', 'drawing', 'prompts'];
  checkRecipeNames(options, names);
  const prompts = withPrompts(reasoningPrompts, options.prompts);
  return {
    question: checkFilledText('question', options.question),
    samples: checkInteger('samples', options.samples ?? 40, 1, maxCandidates),
    atOnce: checkInteger('atOnce', options.atOnce ?? 8, 1, maxCandidates),
    stopEarly: options.stopEarly ?? true,
    weights: checkOneOf('weights', options.weights ?? 'none', ['none', 'path']),
    parse: checkFunction('parse', options.parse ?? ((text: string) => numberBehind(text, prompts.answerMark))),
    drawing: { maxTokens: 96, temperature: 0.7, topK: 40, ...options.drawing },
    prompts,
  };
}

/** The first number behind the mark, without signs of currency and of thousands; null where there is none. */
export function numberBehind(text: string, mark: string): string | null {
  const begin = text.indexOf(mark);
  if (begin < 0) return null;
  const [number] = /-?\d[\d,]*(?:\.\d+)?/.exec(text.slice(begin + mark.length).split('\n')[0]) ?? [];
  return number === undefined ? null : String(Number(number.replaceAll(',', '')));
}

async function vote(run: Work, model: Model, settings: Settings): Promise<SelfConsistencyResult> {
  const { prompts, question, samples, atOnce } = settings;
  const pinned = await run.prefill(model, 'examples', { prompt: prompts.examples });
  const asked = await run.prefill(pinned, 'question', { prompt: fill(prompts.question, { question }) });
  const ballot = new Ballot(run, settings);
  for (let first = 0; first < samples && !ballot.isDecided; first += atOnce)
    await drawBatch(run, asked, settings, first, ballot);
  return ballot.close();
}

/** The paths from `first` on. They are the same whether or not the vote is stopped early. */
async function drawBatch(run: Work, prefix: Prefix, settings: Settings, first: number, ballot: Ballot): Promise<void> {
  const { samples, atOnce, drawing, weights } = settings;
  const count = Math.min(atOnce, samples - first);
  const options = { ...drawing, stop: '\nQ:', logprobs: weights === 'path', count };
  await run.sampleUntil(prefix, ['paths', first], options, (candidate, completion) => {
    ballot.add(first + candidate, completion);
    return ballot.isDecided;
  });
}

class Ballot {
  readonly #run: Work;
  readonly #settings: Settings;
  readonly #paths: Path[] = [];
  #tallies: Tally[] = [];

  constructor(run: Work, settings: Settings) {
    this.#run = run;
    this.#settings = settings;
  }

  get isDecided(): boolean {
    const { stopEarly, samples } = this.#settings;
    return stopEarly && isDecided(this.#tallies, samples - this.#paths.length);
  }

  add(sample: number, { text, logprobs }: CandidateCompletion): void {
    const { parse, weights } = this.#settings;
    const path = { sample, text, answer: parse(text), weight: weights === 'path' ? pathWeight(logprobs ?? []) : 1 };
    this.#paths.push(path);
    this.#paths.sort((a, b) => a.sample - b.sample); // Ties go by number, not by who finishes first.
    this.#tallies = tallyVotes(this.#paths.filter((one): one is Path & Vote => one.answer !== null));
    if (path.answer === null) this.#run.drop(`path ${sample}`, 'no answer can be read off it');
    this.#run.emit({ type: 'vote', ...path, tallies: this.#tallies });
  }

  close(): SelfConsistencyResult {
    for (const { answer, weight } of this.#tallies) this.#run.score(answer, { weight });
    const [leader] = this.#tallies;
    const saved = this.#settings.samples - this.#paths.length;
    return { answer: leader?.answer ?? null, tallies: this.#tallies, paths: this.#paths, saved };
  }
}
