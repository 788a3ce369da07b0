import type { CandidateCompletion, Completion, Timings, Usage } from '../candidates.js';
import type { CandidateCheckEvent, CheckSummary, CompiledChecks } from '../check-log.js';
import { CheckLog } from '../check-log.js';
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

/** A candidate that a check stopped: nothing else was asked of it. */
export interface StoppedCandidate extends CandidateCompletion {
  candidate: number;
  reason: 'rejected';
}

interface TurnFigures<Qs extends Questions> {
  /** All that were not stopped, in the order of their numbers. */
  candidates: WinnowCandidate<Qs>[];
  /** Those that failed a `keep` rule. */
  rejected: WinnowCandidate<Qs>[];
  /** Those that a check stopped, in the order of their numbers. */
  stopped: StoppedCandidate[];
  /** With `checks`. */
  checks?: CheckSummary;
  seed: number;
  usage: Usage;
  timings: Timings;
}

/**
 * That every candidate was rejected is an outcome, not an error: the best of them comes along. 'all-stopped': checks
 * have stopped every one.
 */
export type WinnowResult<Qs extends Questions = Questions> = TurnFigures<Qs> &
  (
    | { outcome: 'chosen'; chosen: WinnowCandidate<Qs>; bestRejected: WinnowCandidate<Qs> | null }
    | { outcome: 'none-passed'; chosen: null; bestRejected: WinnowCandidate<Qs> }
    | { outcome: 'all-stopped'; chosen: null; bestRejected: null }
  );

export type WinnowEvent<Qs extends Questions = Questions> =
  | CandidateTokenEvent
  | CandidateFinishEvent
  | CandidateCheckEvent
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
  checks?: CompiledChecks,
): Fold<WinnowEvent<Qs>, WinnowResult<Qs>> {
  const judge = makeJudge<Qs>(options, questions);
  const log = checks && new CheckLog(checks);
  const foldAnswers = foldCandidates(request, log);
  const completions: CandidateCompletion[] = [];
  const scores: Map<number, NativeScore>[] = [];
  const judged: WinnowCandidate<Qs>[] = []; // With holes in the places of those that were stopped.

  return (event, emit) => {
    const completion = foldAnswers(event, emit);
    if (event.type === 'candidate') completions[event.candidate] = completion!;
    if (event.type === 'score') (scores[event.candidate] ??= new Map()).set(event.question, event);
    if (event.type === 'finish') {
      const summary = log?.summary(request.candidates, request.maxTokens, completions);
      const figures = { stopped: stoppedOf(completions), ...(summary && { checks: summary }), seed: request.seed };
      return finish(Object.values(judged), { ...figures, usage: event.usage, timings: event.timings }, emit);
    }
    if (!('candidate' in event)) return undefined;
    const { candidate } = event;
    if (!completions[candidate] || (scores[candidate]?.size ?? 0) < request.questions.length) return undefined;
    const answered = request.questions.map((_, question) => scores[candidate].get(question)!);
    judged[candidate] = judge(candidate, completions[candidate] as Completion, answered);
    report(judged[candidate], emit);
    return undefined;
  };
}

function stoppedOf(completions: readonly CandidateCompletion[]): StoppedCandidate[] {
  return completions.flatMap((completion, candidate) =>
    completion.reason === 'rejected' ? [{ ...completion, reason: completion.reason, candidate }] : [],
  );
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
  candidates: WinnowCandidate<Qs>[],
  rest: Omit<TurnFigures<Qs>, 'candidates' | 'rejected'>,
  emit: (event: WinnowEvent<Qs>) => void,
): WinnowResult<Qs> {
  const rejected = candidates.filter(({ kept }) => !kept);
  const chosen = best(candidates.filter(({ kept }) => kept));
  const figures = { candidates, rejected, ...rest };
  const result: WinnowResult<Qs> = { ...outcomeOf(chosen, best(rejected)), ...figures };
  emit({ type: 'finish', ...result });
  return result;
}

function outcomeOf<Qs extends Questions>(chosen: WinnowCandidate<Qs> | null, bestRejected: WinnowCandidate<Qs> | null) {
  if (chosen) return { outcome: 'chosen', chosen, bestRejected } as const;
  if (bestRejected) return { outcome: 'none-passed', chosen: null, bestRejected } as const;
  return { outcome: 'all-stopped', chosen: null, bestRejected: null } as const;
}

/** The first of those that rank highest. */
function best<Qs extends Questions>(candidates: WinnowCandidate<Qs>[]): WinnowCandidate<Qs> | null {
  return candidates.reduce<WinnowCandidate<Qs> | null>(
    (leader, candidate) => (leader && leader.rank >= candidate.rank ? leader : candidate),
    null,
  );
}
