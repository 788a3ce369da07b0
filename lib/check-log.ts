// What checks found of candidates while they were generated, and what that came to.
import type { CandidateCompletion, Rejection } from './candidates.js';
import type { NativeChecks, NativeEvent } from './native.js';

/** A candidate has been checked. If it is stopped, its 'candidate-finish' follows. */
export interface CandidateCheckEvent {
  type: 'candidate-check';
  candidate: number;
  /** Tokens that its text had. */
  position: number;
  /** By question: P(yes), the mean level, or the probability of the label. */
  scores: Record<string, number>;
}

/** What checks came to. */
export interface CheckSummary {
  /** Candidates that were stopped. */
  rejected: number;
  /** Candidates that began in the place of stopped ones. */
  refilled: number;
  /**
   * An estimate of the tokens that were not generated: for each stopped candidate, the mean length of those that were
   * not stopped (`maxTokens` where all were) less its own, at least 0.
   */
  savedTokens: number;
}

/** @internal */
export interface CompiledChecks {
  native: NativeChecks;
  names: string[];
}

type NativeCheckEvent = Extract<NativeEvent, { type: 'check' }>;

/** @internal Remembers what stopped whom. */
export class CheckLog {
  readonly #names: string[];
  readonly #rejections = new Map<number, Rejection>();

  constructor({ names }: CompiledChecks) {
    this.#names = names;
  }

  read({ candidate, tokens, values, failed }: NativeCheckEvent): CandidateCheckEvent {
    const scores = Object.fromEntries(this.#names.map((name, index) => [name, values[index]]));
    const question = this.#names[failed];
    if (failed >= 0) this.#rejections.set(candidate, { question, score: values[failed], position: tokens });
    return { type: 'candidate-check', candidate, position: tokens, scores };
  }

  rejectionOf(candidate: number): Rejection | undefined {
    return this.#rejections.get(candidate);
  }

  /** `asked`: how many candidates were asked for; `all`: every one that there was. */
  summary(asked: number, maxTokens: number, all: readonly CandidateCompletion[]): CheckSummary {
    const tokensOf = (isRejected: boolean) =>
      all.filter(({ reason }) => (reason === 'rejected') === isRejected).map(({ tokens }) => tokens);
    const finished = tokensOf(false);
    const rejected = tokensOf(true);
    const length = finished.length > 0 ? sum(finished) / finished.length : maxTokens;
    const saved = sum(rejected.map((tokens) => Math.max(0, length - tokens)));
    return { rejected: rejected.length, refilled: all.length - asked, savedTokens: Math.round(saved) };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
