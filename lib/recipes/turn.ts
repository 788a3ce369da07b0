import type { Completion, Timings, Usage } from '../candidates.js';
import { OptionError } from '../errors.js';
import type { NativeRequest, NativeScore } from '../native.js';
import type { ResolvedTurnOptions } from '../options.js';
import type { CompiledQuestions } from '../questions/compile.js';
import type { Answers, Questions } from '../questions/question.js';
import type { Fold } from '../request-stream.js';
import { RequestStream } from '../request-stream.js';
import type { CandidateFinishEvent, CandidateTokenEvent } from '../sampling.js';
import { foldCandidates } from '../sampling.js';
import type { Scores } from './scores.js';
import { scoreOf } from './scores.js';

interface Verdict<Qs extends Questions> {
  scores: Scores<Qs>;
  /** What `rank` gave. */
  rank: number;
}

/** An answer with what was found about it. */
export interface WinnowCandidate<Qs extends Questions = Questions> extends Completion, Verdict<Qs> {
  /** 0 … candidates − 1. */
  candidate: number;
  answers: Answers<Qs>;
  kept: boolean;
  /** Names of the `keep` rules that it failed ('keep' where there is only one). */
  failed: string[];
}

/** All of a candidate's questions are answered. */
export interface ScoreEvent<Qs extends Questions = Questions> extends Verdict<Qs> {
  type: 'score';
  candidate: number;
  answers: Answers<Qs>;
}

/** Comes right behind the candidate's 'score'. */
export interface RejectEvent<Qs extends Questions = Questions> extends Verdict<Qs> {
  type: 'reject';
  candidate: number;
  failed: string[];
}

interface TurnFigures<Qs extends Questions> {
  /** All, in the order of their numbers. */
  candidates: WinnowCandidate<Qs>[];
  /** Those that failed a `keep` rule. */
  rejected: WinnowCandidate<Qs>[];
  seed: number;
  usage: Usage;
  timings: Timings;
}

/** That every candidate was rejected is an outcome, not an error: the best of them comes along. */
export type WinnowResult<Qs extends Questions = Questions> = TurnFigures<Qs> &
  (
    | { outcome: 'chosen'; chosen: WinnowCandidate<Qs>; bestRejected: WinnowCandidate<Qs> | null }
    | { outcome: 'none-passed'; chosen: null; bestRejected: WinnowCandidate<Qs> }
  );

export type WinnowEvent<Qs extends Questions = Questions> =
  | CandidateTokenEvent
  | CandidateFinishEvent
  | ScoreEvent<Qs>
  | RejectEvent<Qs>
  | ({ type: 'finish' } & WinnowResult<Qs>);

/** A running turn: candidates are drawn, scored on their live sequences, sifted and ranked. */
export class WinnowTurn<Qs extends Questions = Questions> extends RequestStream<WinnowEvent<Qs>, WinnowResult<Qs>> {}

type Judge<Qs extends Questions> = (
  candidate: number,
  completion: Completion,
  scores: NativeScore[],
) => WinnowCandidate<Qs>;

/** @internal What `keep` and `rank` throw ends the turn with that error. */
export function foldTurn<Qs extends Questions>(
  request: NativeRequest,
  options: ResolvedTurnOptions,
  questions: CompiledQuestions,
): Fold<WinnowEvent<Qs>, WinnowResult<Qs>> {
  const judge = makeJudge<Qs>(options, questions);
  const foldAnswers = foldCandidates(request);
  const completions = new Array<Completion>(request.candidates);
  const scores = Array.from({ length: request.candidates }, () => new Map<number, NativeScore>());
  const candidates = new Array<WinnowCandidate<Qs>>(request.candidates);

  return (event, emit) => {
    const completion = foldAnswers(event, emit);
    if (event.type === 'candidate') completions[event.candidate] = completion!;
    if (event.type === 'score') scores[event.candidate].set(event.question, event);
    if (event.type === 'finish') return finish(request.seed, candidates, event, emit);
    if (!('candidate' in event)) return undefined;
    const { candidate } = event;
    if (!completions[candidate] || scores[candidate].size < request.questions.length) return undefined;
    const answered = request.questions.map((_, question) => scores[candidate].get(question)!);
    candidates[candidate] = judge(candidate, completions[candidate], answered);
    report(candidates[candidate], emit);
    return undefined;
  };
}

function makeJudge<Qs extends Questions>({ keep, rank }: ResolvedTurnOptions, questions: CompiledQuestions): Judge<Qs> {
  return (candidate, completion, nativeScores) => {
    const answers = questions.read(nativeScores);
    const scores = Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, scoreOf(answer)]));
    const seen = scores as Parameters<typeof rank>[0];
    const failed = keep.filter(([name, rule]) => !verdictOf(name, rule(seen))).map(([name]) => name);
    const judged = {
      ...completion,
      candidate,
      answers,
      scores,
      rank: rankOf(rank(seen)),
      kept: failed.length === 0,
      failed,
    };
    return judged as unknown as WinnowCandidate<Qs>; // The keys of the questions are those of Qs.
  };
}

function verdictOf(name: string, verdict: unknown): boolean {
  if (typeof verdict === 'boolean') return verdict;
  throw new OptionError(
    'ERR_OPTION_VALUE',
    `keep must return true or false; '${name}' returned ${String(verdict)}`,
    'keep',
    verdict,
  );
}

function rankOf(rank: unknown): number {
  if (typeof rank === 'number' && !Number.isNaN(rank)) return rank;
  throw new OptionError('ERR_OPTION_VALUE', `rank must return a number, got ${String(rank)}`, 'rank', rank);
}

function report<Qs extends Questions>(judged: WinnowCandidate<Qs>, emit: (event: WinnowEvent<Qs>) => void): void {
  const { candidate, scores, answers, rank, failed, kept } = judged;
  emit({ type: 'score', candidate, scores, answers, rank });
  if (!kept) emit({ type: 'reject', candidate, scores, rank, failed });
}

function finish<Qs extends Questions>(
  seed: number,
  candidates: WinnowCandidate<Qs>[],
  { usage, timings }: { usage: Usage; timings: Timings },
  emit: (event: WinnowEvent<Qs>) => void,
): WinnowResult<Qs> {
  const rejected = candidates.filter(({ kept }) => !kept);
  const chosen = best(candidates.filter(({ kept }) => kept));
  const figures = { candidates, rejected, seed, usage, timings };
  const bestRejected = best(rejected);
  const result: WinnowResult<Qs> = chosen
    ? { outcome: 'chosen', chosen, bestRejected, ...figures }
    : { outcome: 'none-passed', chosen: null, bestRejected: bestRejected!, ...figures };
  emit({ type: 'finish', ...result });
  return result;
}

/** The first of those that rank highest. */
function best<Qs extends Questions>(candidates: WinnowCandidate<Qs>[]): WinnowCandidate<Qs> | null {
  return candidates.reduce<WinnowCandidate<Qs> | null>(
    (leader, candidate) => (leader && leader.rank >= candidate.rank ? leader : candidate),
    null,
  );
}
