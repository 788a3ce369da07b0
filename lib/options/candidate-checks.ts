import type { Question, Questions } from '../questions/question.js';
import { checkFields, checkFilledText, checkInteger, checkNames, checkNumber, invalid, withDefault } from './checks.js';
import { resolveQuestions } from './questions.js';

/** What a candidate must keep to. At least one of `min` and `max`. */
export interface CheckThreshold {
  /** The candidate passes from this score … @default none */
  min?: number;
  /** … to this one. @default none */
  max?: number;
  /** Of a 'choice' or 'labels' question: the probability of which label is the score. */
  label?: string;
}

/**
 * Questions that are asked of candidates while they are generated, on forks of their live sequences, in the step of the
 * token before them. A candidate whose score is out of bounds is stopped there: it ends with `reason: 'rejected'`, its
 * cells are free at once, and nothing else is asked of it.
 */
export interface ChecksOptions<Qs extends Questions = Questions> {
  /** Tokens between checks, 1 to 2³¹ − 1; 'sentence' = where the text ends like a sentence. */
  every: number | 'sentence';
  /** No check before the text has this many tokens. @default 0 */
  after?: number;
  /** Asked behind what there is of the answer, as `attributes` are behind the whole of it: 1 to 32. */
  questions: Qs;
  /**
   * What each question's score must keep to: P(yes), the mean level, or the probability of a label. A number: at least
   * this.
   */
  thresholds: { readonly [Name in keyof Qs]: number | CheckThreshold };
  /**
   * How many new candidates may begin in the place of stopped ones; they have the next numbers, and the random streams of
   * these. true = as many as there are candidates; false or 0 = none. @default false
   */
  refill?: boolean | number;
}

/** @internal */
export interface ResolvedChecks {
  /** 0 = where sentences end. */
  every: number;
  after: number;
  questions: [string, Question][];
  thresholds: Required<Pick<CheckThreshold, 'min' | 'max'>>[];
  /** [questions]: what each label counts in the score. */
  weights: number[][];
  refills: number;
}

const largest = 2 ** 31 - 1;
const maxChecks = 32;
export const maxRefills = 1024;

export function resolveChecks(
  checks: ChecksOptions | undefined,
  candidates: number,
  vocabularySize: number,
): ResolvedChecks | undefined {
  if (checks === undefined) return undefined;
  const fields = checkFields('checks', checks);
  checkNames('checks', fields, ['every', 'after', 'questions', 'thresholds', 'refill']);
  const questions = resolveQuestions(checks.questions, vocabularySize, 'checks.questions');
  if (questions.length > maxChecks)
    throw invalid('checks.questions', checks.questions, `at most ${maxChecks} questions`);
  const thresholds = checkFields('checks.thresholds', checks.thresholds);
  checkNames(
    'checks.thresholds',
    thresholds,
    questions.map(([name]) => name),
  );
  const bounds = questions.map(([name, question]) =>
    resolveThreshold(`checks.thresholds.${name}`, thresholds[name], question),
  );
  return {
    every: checks.every === 'sentence' ? 0 : resolveEvery(checks.every),
    after: checkInteger('checks.after', withDefault(checks.after, 0), 0, largest),
    questions,
    thresholds: bounds.map(({ min, max }) => ({ min, max })),
    weights: bounds.map(({ weights }) => weights),
    refills: resolveRefill(checks.refill, candidates),
  };
}

function resolveEvery(every: unknown): number {
  if (typeof every === 'number') return checkInteger('checks.every', every, 1, largest);
  throw invalid('checks.every', every, "a number of tokens or 'sentence'");
}

function resolveRefill(refill: unknown, candidates: number): number {
  if (refill === undefined || refill === false) return 0;
  if (refill === true) return Math.min(candidates, maxRefills);
  if (typeof refill === 'number') return checkInteger('checks.refill', refill, 0, maxRefills);
  throw invalid('checks.refill', refill, 'true, false or a number of candidates');
}

function resolveThreshold(path: string, threshold: unknown, question: Question) {
  const fields = typeof threshold === 'number' ? { min: threshold } : checkFields(path, threshold);
  checkNames(path, fields, ['min', 'max', 'label']);
  const { min, max, label } = fields as Record<string, unknown>;
  if (min === undefined && max === undefined) throw invalid(path, threshold, 'a number, or have min or max');
  const bound = (name: string, value: unknown, none: number) =>
    value === undefined ? none : checkNumber(`${path}.${name}`, value, 'a finite number', () => true);
  const resolved = { min: bound('min', min, -Infinity), max: bound('max', max, Infinity) };
  if (resolved.min > resolved.max) throw invalid(`${path}.min`, min, `at most max (${resolved.max})`);
  return { ...resolved, weights: weightsOf(path, label, question) };
}

/** What each label counts in the score, in their order. */
function weightsOf(path: string, label: unknown, question: Question): number[] {
  if (question.type === 'boolean' || question.type === 'score') {
    if (label !== undefined) throw invalid(`${path}.label`, label, `left out for a ${question.type} question`);
    return question.type === 'boolean' ? [1, 0] : question.levels.map((_, level) => level);
  }
  const keys = Object.keys(question.type === 'choice' ? question.choices : question.labels);
  const wanted = checkFilledText(`${path}.label`, label);
  if (!keys.includes(wanted)) throw invalid(`${path}.label`, label, `one of ${keys.join(', ')}`);
  return keys.map((key) => (key === wanted ? 1 : 0));
}
