import type { Question, Questions } from '../questions/question.js';
import type { LamdaAttributes } from '../recipes/lamda.js';
import { lamdaAttributes, lamdaSelection } from '../recipes/lamda.js';
import type { Scores } from '../recipes/scores.js';
import { checkEntries, checkFunction, checkInteger, invalid, withDefault } from './checks.js';
import type { ChecksOptions, ResolvedChecks } from './candidate-checks.js';
import { resolveChecks } from './candidate-checks.js';
import type { PrefixGenerateOptions, ResolvedGenerateOptions } from './generate.js';
import { maxCandidates, resolveGenerateOptions } from './generate.js';
import { resolveQuestions } from './questions.js';

/** Says of a candidate's scores whether it may be the answer. */
export type KeepRule<Qs extends Questions> = (scores: Scores<Qs>) => boolean;

/** Which candidates may be the answer, and which of them is best. */
export interface Selection<Qs extends Questions> {
  /**
   * One rule, or several by name: a candidate that fails one is rejected, and told by its name.
   * @default LaMDA's for its attributes (`unsafe` below 0.2), else everything is kept
   */
  keep?: KeepRule<Qs> | Readonly<Record<string, KeepRule<Qs>>>;
  /** The highest is chosen, the first of equals. @default LaMDA's: 3·sensible + specific + interesting; needs these attributes */
  rank?: (scores: Scores<Qs>) => number;
}

/** Options of `prefix.winnow()`. */
export type WinnowOptions<
  Qs extends Questions = LamdaAttributes,
  Checked extends Questions = Questions,
> = PrefixGenerateOptions &
  Selection<Qs> & {
    /** How many answers are drawn, 1 to 1,024. @default 16, as LaMDA */
    candidates?: number;
    /** What each finished candidate is asked. @default LaMDA's sensible, specific, interesting and unsafe, in our words */
    attributes?: Qs;
    /** Stops candidates that fail a question while they are generated; they are asked no attribute. @default none */
    checks?: ChecksOptions<Checked>;
  };

type AnyScores = Scores<Questions>;

/** @internal */
export interface ResolvedTurnOptions extends ResolvedGenerateOptions {
  candidates: number;
  checks?: ResolvedChecks;
  attributes: [string, Question][];
  keep: [string, (scores: AnyScores) => boolean][];
  rank: (scores: AnyScores) => number;
}

export function resolveTurnOptions<Qs extends Questions>(
  options: WinnowOptions<Qs>,
  vocabularySize: number,
): ResolvedTurnOptions {
  const resolved = resolveGenerateOptions(options, vocabularySize, true, [
    'candidates',
    'attributes',
    'checks',
    'keep',
    'rank',
  ]);
  const attributes = resolveQuestions(
    withDefault<Questions>(options.attributes, lamdaAttributes),
    vocabularySize,
    'attributes',
  );
  const candidates = checkInteger('candidates', withDefault(options.candidates, 16), 1, maxCandidates);
  return {
    ...resolved,
    candidates,
    checks: resolveChecks(options.checks, candidates, vocabularySize),
    attributes,
    keep: resolveKeep(options.keep, attributes),
    rank: resolveRank(options.rank, attributes),
  };
}

function resolveKeep(keep: unknown, attributes: [string, Question][]): ResolvedTurnOptions['keep'] {
  if (keep === undefined)
    return hasNumbers(attributes, ['unsafe']) ? resolveKeep(lamdaSelection().keep, attributes) : [];
  if (typeof keep === 'function') return [['keep', checkFunction('keep', keep)]];
  return checkEntries('keep', keep, 0, maxCandidates, 'rules').map(([name, rule]) => [
    name,
    checkFunction(`keep.${name}`, rule),
  ]);
}

function resolveRank(rank: unknown, attributes: [string, Question][]): ResolvedTurnOptions['rank'] {
  if (rank !== undefined) return checkFunction('rank', rank);
  if (hasNumbers(attributes, ['sensible', 'specific', 'interesting']))
    return lamdaSelection().rank as ResolvedTurnOptions['rank'];
  throw invalid('rank', rank, 'a function of the scores, unless the attributes are sensible, specific and interesting');
}

function hasNumbers(attributes: [string, Question][], names: readonly string[]): boolean {
  const numeric = attributes.filter(([, question]) => question.type === 'boolean' || question.type === 'score');
  return names.every((name) => numeric.some(([attribute]) => attribute === name));
}
