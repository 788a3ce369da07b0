// Questions asked of candidates while they are generated: down as tokens and numbers, back as scores by name.
import type { CandidateCompletion } from './candidates.js';
import type { Context, Session } from './context.js';
import type { NativeCheck, NativeChecks, NativeEvent, NativeQuestion } from './native.js';
import type { ResolvedChecks } from './options.js';
import { priorShift } from './questions/answer.js';
import type { Question } from './questions/question.js';
import { compileBehind } from './scoring.js';

/** Why a check stopped a candidate. */
export interface Rejection {
  /** Name of the first question whose score was out of bounds. */
  question: string;
  score: number;
  /** Tokens that the text had. */
  position: number;
}

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

export async function compileChecks(
  session: Session,
  context: Context,
  checks: ResolvedChecks | undefined,
): Promise<CompiledChecks | undefined> {
  if (!checks) return undefined;
  const compiled = await compileBehind(session, context, checks.questions, true);
  const native = checks.questions.map(([, question], index): NativeCheck => {
    const asked = compiled.native[index];
    const { min, max } = checks.thresholds[index];
    const weights = Float64Array.from(checks.weights[index]);
    return { ...asked, ...readingOf(question, asked, compiled.priors[index]), weights, least: min, most: max };
  });
  const { every, after, refills } = checks;
  return { native: { every, after, refills, checks: native }, names: checks.questions.map(([name]) => name) };
}

/** Normalisation and calibration of readLabels() as one scale and one offset per label. */
function readingOf(question: Question, { labels }: NativeQuestion, prior: readonly number[] | undefined) {
  const { normalization, calibration } = question;
  const scales = labels.map(({ length }) => (normalization === 'mean' ? 1 / length : 1));
  const offsets = labels.map((_, label) => (normalization === 'prior' ? -priorShift(prior![label]) : 0));
  const factor =
    calibration?.method === 'temperature' ? 1 / calibration.temperature : calibration ? calibration.slope : 1;
  const intercept = calibration?.method === 'platt' ? calibration.intercept : 0;
  return {
    scales: Float64Array.from(scales, (scale) => scale * factor),
    offsets: Float64Array.from(offsets, (offset, label) => offset * factor + (label === 0 ? intercept : 0)),
  };
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
