import type { FinishReason, NativeEvent, NativeTimings, NativeTopLogprob, NativeUsage } from './native.js';

type NativeToken = Extract<NativeEvent, { type: 'token' }>;
type NativeCandidate = Extract<NativeEvent, { type: 'candidate' }>;

/** Tokens that a request caused to be evaluated, and what it found in the cache. */
export type Usage = NativeUsage;
/** Milliseconds. */
export type Timings = NativeTimings;
export type TopLogprob = NativeTopLogprob;
export type { FinishReason };

/** What came with one token. */
export interface TokenDetails {
  /** What can be shown now: '' while a character or a possible stop string is incomplete. The last one brings what was held back. */
  text: string;
  /** Its id. */
  token: number;
  /** Of the model's own distribution, before bias, penalties and temperature; with `logprobs`. */
  logprob?: number;
  /** The likeliest first, of the same distribution; with `topLogprobs`. */
  topLogprobs?: TopLogprob[];
  /** What each probe reads of the state that the token was drawn from, so of the text before it; with `probes`. */
  probes?: Record<string, number>;
}

/** A finished answer. */
export interface Completion {
  text: string;
  /** How it ended: the model's end-of-text token, a stop string or stop token, or maxTokens (or the context's end). */
  reason: FinishReason;
  /** The stop string that was found; it is not part of the text. */
  stopString?: string;
  /** How many tokens were drawn, the one that ended the text included. */
  tokens: number;
  /** [tokens] */
  tokenIds: number[];
  /** [tokens], with `logprobs`. */
  logprobs?: number[];
}

/** Why a check stopped a candidate. */
export interface Rejection {
  /** Name of the first question whose score was out of bounds. */
  question: string;
  score: number;
  /** Tokens that the text had. */
  position: number;
}

/** An answer among several: as a Completion, or stopped by a check. */
export interface CandidateCompletion extends Omit<Completion, 'reason'> {
  /** As of a Completion; 'rejected': a check has stopped it. */
  reason: FinishReason | 'rejected';
  /** What stopped it, with `reason: 'rejected'`. */
  rejection?: Rejection;
}

export function tokenDetails(event: NativeToken): TokenDetails {
  const { text, token, logprob, topLogprobs, probes } = event;
  return {
    text,
    token,
    ...(logprob !== undefined && { logprob }),
    ...(topLogprobs !== undefined && { topLogprobs }),
    ...(probes !== undefined && { probes }),
  };
}

/** Collects one answer from its events. */
export class AnswerInProgress {
  #text = '';
  #tokenIds: number[] = [];
  #logprobs: number[] | undefined;

  constructor(logprobs: boolean) {
    if (logprobs) this.#logprobs = [];
  }

  addToken(event: NativeToken): TokenDetails {
    this.#text += event.text;
    this.#tokenIds.push(event.token);
    this.#logprobs?.push(event.logprob ?? NaN);
    return tokenDetails(event);
  }

  finish({ reason, stopString, tokens }: NativeCandidate): CandidateCompletion {
    return {
      text: this.#text,
      reason,
      ...(stopString !== undefined && { stopString }),
      tokens,
      tokenIds: this.#tokenIds,
      ...(this.#logprobs && { logprobs: this.#logprobs }),
    };
  }
}
