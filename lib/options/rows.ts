import type { Question, Questions } from '../questions/question.js';
import { OptionError } from '../errors.js';
import { checkBoolean, checkFields, checkInteger, checkNames, checkText, invalid, withDefault } from './checks.js';
import type { Message, ResolvedInput } from './input.js';
import { resolveContinuations, resolveMessages, resolveSignal } from './input.js';
import { resolveQuestions } from './questions.js';

/** One row to score. Other fields are passed over. */
export interface ScoreRow {
  /** What results are known by. @default the row's index */
  id?: string | number;
  /** What continuations and questions follow, as it is; exactly one of `context`, `text` (the same) and `messages`. */
  context?: string;
  text?: string;
  /** A conversation, put into the model's chat template. */
  messages?: readonly Message[];
  /** Texts whose log-likelihood behind the context is wanted. */
  continuations?: readonly string[];
  /** Asked behind the context. @default the questions of the options */
  questions?: Questions;
}

export interface ScoreRowsOptions {
  /** Asked behind every row that has none of its own. @default none: then every row needs continuations */
  questions?: Questions;
  /** Results in the order of their rows; false = as they come. @default false */
  ordered?: boolean;
  /** Rows read ahead, among which those with the same context are computed one behind the other; 1 to 65,536. @default 4096 */
  window?: number;
  /** Ends the iteration with its reason. */
  signal?: AbortSignal;
}

export interface ResolvedScoreRowsOptions {
  questions?: [string, Question][];
  ordered: boolean;
  window: number;
  signal?: AbortSignal;
}

export function resolveScoreRowsOptions(options: ScoreRowsOptions, vocabularySize: number): ResolvedScoreRowsOptions {
  checkNames('options', checkFields('options', options), ['questions', 'ordered', 'window', 'signal']);
  const { questions } = options;
  return {
    questions: questions === undefined ? undefined : resolveQuestions(questions, vocabularySize),
    ordered: checkBoolean('ordered', withDefault(options.ordered, false)),
    window: checkInteger('window', withDefault(options.window, 4096), 1, 65_536),
    signal: resolveSignal(options.signal),
  };
}

/** @internal A row with everything that is asked of it; `key` is the same for rows with the same context. */
export interface ResolvedRow {
  input: Exclude<ResolvedInput, { kind: 'none' | 'tokens' }>;
  key: string;
  continuations?: string[];
  questions?: [string, Question][];
}

/** Throws OptionError for what is missing or wrong. */
export function resolveScoreRow(
  row: unknown,
  questions: [string, Question][] | undefined,
  vocabularySize: number,
): ResolvedRow {
  const fields = checkFields('row', row);
  checkRowId(fields['id']);
  const { input, key } = resolveRowContext(fields);
  const asked = fields['questions'] ?? undefined; // Tables have null where there is nothing.
  const continuations = fields['continuations'] ?? undefined;
  const resolved = {
    input,
    key,
    continuations: continuations === undefined ? undefined : resolveContinuations(continuations),
    questions: asked === undefined ? questions : resolveQuestions(asked as Questions, vocabularySize),
  };
  if (!resolved.continuations && !resolved.questions)
    throw new OptionError(
      'ERR_OPTION_VALUE',
      'The row has no continuations, and no questions are asked',
      'continuations',
      undefined,
    );
  return resolved;
}

function resolveRowContext(fields: Record<string, unknown>): Pick<ResolvedRow, 'input' | 'key'> {
  const names = ['context', 'text', 'messages'].filter((name) => (fields[name] ?? undefined) !== undefined);
  const [name] = names;
  if (names.length !== 1) {
    const given = names.length ? `it has ${names.join(' and ')}` : 'it has none of them';
    throw new OptionError(
      'ERR_OPTION_VALUE',
      `A row needs one of context, text and messages; ${given}`,
      'context',
      undefined,
    );
  }
  if (name === 'messages') {
    const messages = resolveMessages(fields['messages']);
    return { input: { kind: 'messages', messages }, key: JSON.stringify(messages) };
  }
  const text = checkText(name, fields[name]);
  return { input: { kind: 'text', text }, key: text };
}

export function checkRowId(id: unknown): string | number | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id))) return id;
  throw invalid('id', id, 'a string or a number');
}
