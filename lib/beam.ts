// Beam search: one request whose candidates come together, the best first.
import type { Completion, Timings, Usage } from './candidates.js';
import { AnswerInProgress } from './candidates.js';
import type { Context, Session } from './context.js';
import type { ResolvedBeamOptions } from './options.js';
import type { Fold } from './request-stream.js';
import { RequestStream } from './request-stream.js';
import type { Parent } from './requests.js';
import { answerRequest } from './requests.js';

/** One of the texts that a beam search found. */
export interface BeamHypothesis extends Completion {
  /** [tokens], natural logs. */
  logprobs: number[];
  /** Their sum. */
  logprob: number;
  /** logprob ÷ tokens^lengthPenalty: what they are ordered by. */
  score: number;
}

export interface BeamResult {
  /** The best one's. */
  text: string;
  /** As many as beams, or fewer where there are no more; the best first. */
  hypotheses: BeamHypothesis[];
  /** `generatedTokens`: of all beams. */
  usage: Usage;
  timings: Timings;
}

/** @internal */
export async function beamSearch(
  session: Session,
  contextOf: () => Promise<Context>,
  parent: Parent | undefined,
  { sampling, beams, beam, signal }: ResolvedBeamOptions,
): Promise<BeamResult> {
  const prepare = async () => {
    const request = { ...answerRequest(session, await contextOf(), parent, sampling, beams), beam };
    return { request, fold: foldBeams(beam.lengthPenalty) };
  };
  return new RequestStream(session.engine, prepare, signal).result();
}

function foldBeams(lengthPenalty: number): Fold<never, BeamResult> {
  const answers: AnswerInProgress[] = [];
  const hypotheses: BeamHypothesis[] = [];
  return (event) => {
    if (event.type === 'token') (answers[event.candidate] ??= new AnswerInProgress(true)).addToken(event);
    if (event.type === 'candidate') {
      const answer = answers[event.candidate] ?? new AnswerInProgress(true);
      hypotheses[event.candidate] = scored(answer.finish(event) as Completion, lengthPenalty);
    }
    if (event.type !== 'finish') return undefined;
    return { text: hypotheses[0].text, hypotheses, usage: event.usage, timings: event.timings };
  };
}

function scored(completion: Completion, lengthPenalty: number): BeamHypothesis {
  const logprobs = completion.logprobs ?? [];
  const logprob = logprobs.reduce((sum, value) => sum + value, 0);
  return { ...completion, logprobs, logprob, score: logprob / Math.max(1, completion.tokens) ** lengthPenalty };
}
