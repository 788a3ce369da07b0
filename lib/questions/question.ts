// What a classifier is asked, and what it answers: the types, from the question's keys to the answer's.

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

/** Yes or no → `{ probability }` of yes. */
export interface BooleanQuestion {
  type: 'boolean';
  /** The question or claim, in your words. */
  instructions: string;
  /** @default our own wording */
  template?: WordingTemplate;
}

/** One of 2 to 255 → `{ choice, probabilities }`, typed by the keys. */
export interface ChoiceQuestion {
  type: 'choice';
  instructions: string;
  /** What each choice means; null = its name says it. */
  choices: Readonly<Record<string, string | null>>;
  template?: WordingTemplate;
}

/** A grade on 2 to 10 levels, the lowest first → `{ score }`, the mean level (0 … levels − 1) under the probabilities. */
export interface ScoreQuestion {
  type: 'score';
  instructions: string;
  levels: readonly string[];
  template?: WordingTemplate;
}

/**
 * The raw form: `suffix` is appended as it is, then every label is read as its continuation; no template, no words of ours.
 * LaMDA's classifiers are `{ type: 'labels', suffix: ' SENSIBLE', labels: { yes: ' 1', no: ' 0' } }` (arXiv 2201.08239, section 6).
 */
export interface LabelsQuestion {
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
  /** Probability mass that is on no label, 0 … 1: large values mean that the model would rather say something else. */
  outside: number;
  /** 1 − entropy ÷ log(number of labels): 0 = undecided, 1 = certain. */
  confidence: number;
}

export interface BooleanAnswer extends AnswerBase {
  type: 'boolean';
  /** P(yes), renormalised over yes and no. */
  probability: number;
  /** Natural logs over the whole vocabulary, raw. */
  logprobs: { yes: number; no: number };
}

export interface ChoiceAnswer<Key extends string = string> extends AnswerBase {
  type: 'choice';
  /** The likeliest; the first of equals. */
  choice: Key;
  /** Renormalised over the choices: they sum to 1. */
  probabilities: Record<Key, number>;
  logprobs: Record<Key, number>;
}

export interface ScoreAnswer extends AnswerBase {
  type: 'score';
  /** Σ level · probability, 0 … levels − 1. */
  score: number;
  /** [levels], the lowest first. */
  probabilities: number[];
  logprobs: number[];
}

export interface LabelsAnswer<Key extends string = string> extends AnswerBase {
  type: 'labels';
  label: Key;
  probabilities: Record<Key, number>;
  logprobs: Record<Key, number>;
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
