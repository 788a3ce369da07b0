// What a classifier is asked, and what it answers: the types, from the question's keys to the answer's.
import type { Calibration } from '../calibration/calibration.js';

/** Replaces the wording of a question: a string with the placeholders `{instructions}`, `{options}` and `{labels}`, or a function. */
export type WordingTemplate = string | ((parts: WordingParts) => string);

/** What a `template` gets. */
export interface WordingParts {
  instructions: string;
  /** What each label stands for, one line each (`A: blue`); '' for a boolean question. */
  options: string;
  /** The labels as they are read: `['Yes', 'No']`, `['A', 'B', …]`, `['0', '1', …]`. */
  labels: readonly string[];
}

/**
 * What a label's log-probability becomes before the softmax over the labels. 'sum': log P(label | text), the sum over its
 * tokens. 'mean': that sum ÷ its tokens, where long labels would lose (Brown et al., arXiv 2005.14165, section 2.4).
 * 'prior': less log P(label | a text without content), so that labels which the model likes whatever it reads win nothing
 * by it: PMI_DC (Holtzman et al., arXiv 2104.08315, section 4), which for labels of one token is contextual calibration
 * with W = diag(p_cf)⁻¹ (Zhao et al., arXiv 2102.09690, section 4.2), renormalised by the sum.
 */
export type Normalization = 'sum' | 'mean' | 'prior';

interface ReadingOptions {
  /** @default 'sum' */
  normalization?: Normalization;
  /**
   * With `normalization: 'prior'`: what stands in place of the text, and of every message but the system's. Asked once
   * for all texts of the same shape. @default 'N/A'
   */
  contentFree?: string;
  /** Applied to the probabilities and what follows from them; `logprobs`, `logits` and `outside` stay. @default none */
  calibration?: Calibration;
}

interface WordedOptions extends ReadingOptions {
  instructions: string;
  /** @default our own wording */
  template?: WordingTemplate;
}

/** Which words an answer is read as: a letter or digit that stands for the option ('coded'), or the option's own. */
export type Readout = 'coded' | 'content';

/** Yes or no → `{ probability }` of yes. */
export interface BooleanQuestion extends WordedOptions {
  type: 'boolean';
  /** The question or claim, in your words. */
  instructions: string;
  /** The words that are read, where the model answers better in others. @default { yes: 'Yes', no: 'No' } */
  labels?: { readonly yes: string; readonly no: string };
}

/** One of 2 to 255 → `{ choice, probabilities }`, typed by the keys. */
export interface ChoiceQuestion extends WordedOptions {
  type: 'choice';
  /** What each choice means; null = its name says it. */
  choices: Readonly<Record<string, string | null>>;
  /** 'coded': A, B, …, one token each. 'content': the names, token by token. @default 'coded' */
  readout?: Readout;
  /** Words of your own for the choices, by their names. @default what `readout` says */
  labels?: Readonly<Record<string, string>>;
}

/** A grade on 2 to 10 levels, the lowest first → `{ score }`, the mean level (0 … levels − 1) under the probabilities. */
export interface ScoreQuestion extends WordedOptions {
  type: 'score';
  levels: readonly string[];
  /** 'coded': 0, 1, …. 'content': the words of the levels. @default 'coded' */
  readout?: Readout;
  /** [levels] @default what `readout` says */
  labels?: readonly string[];
}

/**
 * The raw form: `suffix` is appended as it is, then every label is read as its continuation; no template, no words of ours.
 * LaMDA's classifiers are `{ type: 'labels', suffix: ' SENSIBLE', labels: { yes: ' 1', no: ' 0' } }` (arXiv 2201.08239, section 6).
 */
export interface LabelsQuestion extends ReadingOptions {
  type: 'labels';
  /** Text or token ids; may be empty. */
  suffix: string | readonly number[] | Int32Array;
  /** 1 to 255 labels, text or token ids. */
  labels: Readonly<Record<string, string | readonly number[] | Int32Array>>;
}

export type Question = BooleanQuestion | ChoiceQuestion | ScoreQuestion | LabelsQuestion;

/** Questions by the names that their answers come back under. */
export type Questions = Readonly<Record<string, Question>>;

interface AnswerBase {
  /**
   * Probability mass that is on no label, 0 … 1: large values mean that the model would rather say something else. Where
   * one label begins another its mass counts twice: at least 0 then.
   */
  outside: number;
  /** 1 − entropy ÷ log(number of labels): 0 = undecided, 1 = certain. */
  confidence: number;
  /** Of the probabilities, in nats: 0 … log(number of labels). */
  entropy: number;
}

export interface BooleanAnswer extends AnswerBase {
  type: 'boolean';
  /** P(yes), renormalised over yes and no. */
  probability: number;
  /** Natural logs over the whole vocabulary, raw. */
  logprobs: { yes: number; no: number };
  /** The log-probabilities, normalised: what the probabilities are the softmax of, unless a calibration changes them. */
  logits: { yes: number; no: number };
}

export interface ChoiceAnswer<Key extends string = string> extends AnswerBase {
  type: 'choice';
  /** The likeliest; the first of equals. */
  choice: Key;
  /** Renormalised over the choices: they sum to 1. */
  probabilities: Record<Key, number>;
  logprobs: Record<Key, number>;
  logits: Record<Key, number>;
}

export interface ScoreAnswer extends AnswerBase {
  type: 'score';
  /** Σ level · probability, 0 … levels − 1. */
  score: number;
  /** [levels], the lowest first. */
  probabilities: number[];
  logprobs: number[];
  logits: number[];
}

export interface LabelsAnswer<Key extends string = string> extends AnswerBase {
  type: 'labels';
  label: Key;
  probabilities: Record<Key, number>;
  logprobs: Record<Key, number>;
  logits: Record<Key, number>;
}

type KeyOf<T> = keyof T & string;

export type AnswerOf<Q extends Question> = Q extends BooleanQuestion
  ? BooleanAnswer
  : Q extends ScoreQuestion
    ? ScoreAnswer
    : Q extends { type: 'choice'; choices: infer Choices }
      ? ChoiceAnswer<KeyOf<Choices>>
      : Q extends { type: 'labels'; labels: infer Labels }
        ? LabelsAnswer<KeyOf<Labels>>
        : never;

/** One answer per question, under the same name. */
export type Answers<Qs extends Questions> = { -readonly [Name in keyof Qs]: AnswerOf<Qs[Name]> };

export type Answer = BooleanAnswer | ChoiceAnswer | ScoreAnswer | LabelsAnswer;
