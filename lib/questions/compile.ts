import type { Session } from '../context.js';
import { OptionError } from '../errors.js';
import type { NativeLabelScore, NativeQuestion, NativeScore } from '../native.js';
import { commonLength } from '../text.js';
import type { LabelReading } from './answer.js';
import { readLabels } from './answer.js';
import type { Frame } from './frame.js';
import type { Answer, LabelsQuestion, Question } from './question.js';
import { labelsOf, wordingOf } from './wording.js';

/** Questions as tokens, and the way back from their labels' log-probabilities. */
export interface CompiledQuestions {
  native: NativeQuestion[];
  priors: Priors;
  /** `scores`: one per question, in order. */
  read(scores: readonly NativeScore[]): Record<string, Answer>;
}

/** log P of each question's labels behind a text without content; undefined where it isn't asked for. */
export type Priors = readonly (readonly number[] | undefined)[];

export function compileQuestions(
  session: Session,
  questions: readonly [string, Question][],
  frame: Frame,
  priors: Priors = [],
): CompiledQuestions {
  const native = questions.map(([name, question]) => compileQuestion(session, name, question, frame));
  return {
    native,
    priors,
    read: (scores) =>
      Object.fromEntries(
        questions.map(([name, question], index) => [
          name,
          readLabels(question, scores[index].labels.map(toReading), priors[index]),
        ]),
      ),
  };
}

function toReading({ logprob, tokenLogprobs }: NativeLabelScore): LabelReading {
  return { logprob, tokens: tokenLogprobs.length };
}

/** Whether any of them is asked in words, so that a frame is needed. */
export function needsFrame(questions: readonly [string, Question][]): boolean {
  return questions.some(([, question]) => question.type !== 'labels');
}

function compileQuestion(session: Session, name: string, question: Question, frame: Frame): NativeQuestion {
  const compiled =
    question.type === 'labels' ? compileLabels(session, question) : compileWords(session, name, question, frame);
  checkDistinct(name, compiled.labels);
  return compiled;
}

function compileWords(
  session: Session,
  name: string,
  question: Exclude<Question, LabelsQuestion>,
  frame: Frame,
): NativeQuestion {
  const suffix = frame.before + wordingOf(question, name) + frame.after;
  return tokenizeJointly(
    session,
    suffix,
    labelsOf(question).map((label) => frame.beforeLabel + label),
  );
}

function compileLabels(session: Session, { suffix, labels }: LabelsQuestion): NativeQuestion {
  const values = Object.values(labels);
  if (typeof suffix === 'string' && values.every((label) => typeof label === 'string'))
    return tokenizeJointly(session, suffix, values);
  return { suffix: toTokens(session, suffix), labels: values.map((label) => toTokens(session, label)) };
}

/**
 * Suffix and label are tokenised as one text. The suffix is what all of them begin with, at most its own tokens: where a
 * label merges with the suffix's end, the merged token belongs to the label.
 */
function tokenizeJointly(session: Session, suffix: string, labels: readonly string[]): NativeQuestion {
  const alone = toTokens(session, suffix);
  const joint = labels.map((label) => toTokens(session, suffix + label));
  const length = Math.min(...joint.map((tokens) => Math.min(commonLength(tokens, alone), tokens.length - 1)));
  return { suffix: alone.subarray(0, length), labels: joint.map((tokens) => tokens.subarray(length)) };
}

function toTokens(session: Session, value: string | readonly number[] | Int32Array): Int32Array {
  return typeof value === 'string' ? session.engine.tokenize(value, false, true) : Int32Array.from(value);
}

function checkDistinct(name: string, labels: readonly Int32Array[]): void {
  const texts = new Set(labels.map((label) => label.join()));
  if (texts.size === labels.length) return;
  throw new OptionError('ERR_OPTION_VALUE', `The labels of ${name} must differ as tokens of this model`, name, labels);
}
