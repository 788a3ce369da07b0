import type { Completion, Timings, TokenDetails, Usage } from './candidates.js';
import { AnswerInProgress } from './candidates.js';
import type { NativeRequest } from './native.js';
import type { Fold } from './request-stream.js';
import { RequestStream } from './request-stream.js';

export interface CandidateTokenEvent extends TokenDetails {
  type: 'candidate-token';
  /** 0 … count − 1. */
  candidate: number;
}

export interface CandidateFinishEvent extends Completion {
  type: 'candidate-finish';
  candidate: number;
}

export interface SampleResult {
  /** In the order of their numbers. */
  candidates: Completion[];
  /** What all were drawn with; each has a random stream of its own. */
  seed: number;
  usage: Usage;
  timings: Timings;
}

export interface SampleFinishEvent extends SampleResult {
  type: 'finish';
}

export type SampleEvent = CandidateTokenEvent | CandidateFinishEvent | SampleFinishEvent;

/** Several answers to one prefix, running together: events of all of them, and their texts in `result()`. */
export class Sampling extends RequestStream<SampleEvent, SampleResult> {
  /** Resolves to the texts, in the order of the candidates. */
  async texts(): Promise<string[]> {
    return (await this.result()).candidates.map((candidate) => candidate.text);
  }
}

/** @internal Emits the tokens and the ends of all candidates. Returns the completion with a candidate's last event. */
export function foldCandidates(request: NativeRequest) {
  const answers = Array.from({ length: request.candidates }, () => new AnswerInProgress(request.logprobs));
  return (
    event: Parameters<Fold<never, never>>[0],
    emit: (event: CandidateTokenEvent | CandidateFinishEvent) => void,
  ): Completion | undefined => {
    if (event.type === 'token')
      emit({ type: 'candidate-token', candidate: event.candidate, ...answers[event.candidate].addToken(event) });
    if (event.type !== 'candidate') return undefined;
    const { candidate } = event;
    const completion = answers[candidate].finish(event);
    emit({ type: 'candidate-finish', candidate, ...completion });
    return completion;
  };
}

/** @internal */
export function foldSampling(request: NativeRequest): Fold<SampleEvent, SampleResult> {
  const candidates = new Array<Completion>(request.candidates);
  const fold = foldCandidates(request);
  return (event, emit) => {
    const completion = fold(event, emit);
    if (completion && event.type === 'candidate') candidates[event.candidate] = completion;
    if (event.type !== 'finish') return undefined;
    const result = { candidates, seed: request.seed, usage: event.usage, timings: event.timings };
    emit({ type: 'finish', ...result });
    return result;
  };
}
