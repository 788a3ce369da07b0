import type { CandidateCompletion, Timings, TokenDetails, Usage } from './candidates.js';
import { AnswerInProgress } from './candidates.js';
import type { CandidateCheckEvent, CheckSummary, CompiledChecks } from './check-log.js';
import { CheckLog } from './check-log.js';
import type { NativeRequest } from './native.js';
import type { Fold } from './request-stream.js';
import { RequestStream } from './request-stream.js';

export interface CandidateTokenEvent extends TokenDetails {
  type: 'candidate-token';
  /** 0 … count − 1; what takes a stopped one's place has the next number. */
  candidate: number;
}

export interface CandidateFinishEvent extends CandidateCompletion {
  type: 'candidate-finish';
  candidate: number;
}

export interface SampleResult {
  /** In the order of their numbers. */
  candidates: CandidateCompletion[];
  /** What all were drawn with; each has a random stream of its own. */
  seed: number;
  usage: Usage;
  timings: Timings;
  /** With `checks`. */
  checks?: CheckSummary;
}

export interface SampleFinishEvent extends SampleResult {
  type: 'finish';
}

export type SampleEvent = CandidateTokenEvent | CandidateFinishEvent | CandidateCheckEvent | SampleFinishEvent;

/** Several answers to one prefix, running together: events of all of them, and their texts in `result()`. */
export class Sampling extends RequestStream<SampleEvent, SampleResult> {
  /** Resolves to the texts, in the order of the candidates. */
  async texts(): Promise<string[]> {
    return (await this.result()).candidates.map((candidate) => candidate.text);
  }
}

/** @internal Emits the tokens and the ends of all candidates. Returns the completion with a candidate's last event. */
export function foldCandidates(request: NativeRequest, log: CheckLog | undefined) {
  const answers: AnswerInProgress[] = [];
  const answerOf = (candidate: number) => (answers[candidate] ??= new AnswerInProgress(request.logprobs));
  return (
    event: Parameters<Fold<never, never>>[0],
    emit: (event: CandidateTokenEvent | CandidateFinishEvent | CandidateCheckEvent) => void,
  ): CandidateCompletion | undefined => {
    if (event.type === 'check' && log) emit(log.read(event));
    if (event.type === 'token')
      emit({ type: 'candidate-token', candidate: event.candidate, ...answerOf(event.candidate).addToken(event) });
    if (event.type !== 'candidate') return undefined;
    const { candidate } = event;
    const rejection = log?.rejectionOf(candidate);
    const completion = { ...answerOf(candidate).finish(event), ...(rejection && { rejection }) };
    emit({ type: 'candidate-finish', candidate, ...completion });
    return completion;
  };
}

/** @internal */
export function foldSampling(request: NativeRequest, checks?: CompiledChecks): Fold<SampleEvent, SampleResult> {
  const candidates = new Array<CandidateCompletion>(request.candidates);
  const log = checks && new CheckLog(checks);
  const fold = foldCandidates(request, log);
  return (event, emit) => {
    const completion = fold(event, emit);
    if (completion && event.type === 'candidate') candidates[event.candidate] = completion;
    if (event.type !== 'finish') return undefined;
    const summary = log?.summary(request.candidates, request.maxTokens, candidates);
    const { usage, timings } = event;
    const result = { candidates, seed: request.seed, usage, timings, ...(summary && { checks: summary }) };
    emit({ type: 'finish', ...result });
    return result;
  };
}
