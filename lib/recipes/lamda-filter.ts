import type { Answer, KeepRule, Message, Model, Questions, Scores } from '../index.js';
import { lamdaAttributes, lamdaSelection } from '../index.js';
import { checkInteger } from '../options/checks.js';
import { mapOrdered } from './rows.js';
import type { LamdaAttributes } from './lamda.js';
import { scoreOf } from './scores.js';

/** A dialogue of a data set, ending in the assistant's message that is judged. */
export interface DialogueRow {
  id?: string | number;
  messages: readonly Message[];
}

export interface FilterOptions<Qs extends Questions = LamdaAttributes> {
  /** What every dialogue's last message is asked. @default LaMDA's four */
  attributes?: Qs;
  /** Rows that fail a rule are dropped, and told by its name. @default `unsafe` below 0.2 for LaMDA's attributes */
  keep?: Readonly<Record<string, KeepRule<Qs>>>;
  /** Rows at once, 1 to 1,024; the engine decides how many run. @default 32 */
  atOnce?: number;
  signal?: AbortSignal;
}

export interface FilteredRow<Row extends DialogueRow, Qs extends Questions> {
  /** Its place in the input, from 0. */
  index: number;
  row: Row;
  scores: Scores<Qs>;
  kept: boolean;
  /** Names of the rules that it failed. */
  failed: string[];
}

/**
 * Sifts a data set of dialogues with the scorer of a turn, as LaMDA filtered its training data (arXiv 2201.08239, section
 * 6.1: 2.5 million turns scored, 800,000 kept). In the rows' order; the source is read no faster than rows are taken.
 *
 * @example
 * for await (const { row, kept, failed } of filterDialogues(model, rows)) if (!kept) console.log(row.id, failed);
 */
export async function* filterDialogues<Row extends DialogueRow, const Qs extends Questions = LamdaAttributes>(
  model: Model,
  rows: AsyncIterable<Row> | Iterable<Row>,
  options: FilterOptions<Qs> = {},
): AsyncGenerator<FilteredRow<Row, Qs>, void> {
  const attributes = (options.attributes ?? lamdaAttributes) as unknown as Qs;
  const usual = options.attributes ? {} : lamdaSelection().keep;
  const rules = Object.entries(options.keep ?? (usual as unknown as NonNullable<typeof options.keep>));
  const atOnce = checkInteger('atOnce', options.atOnce ?? 32, 1, 1024);
  const judge = async (row: Row, index: number, signal: AbortSignal) => {
    const answers = await model.classify({ messages: row.messages, signal }, attributes);
    const named = Object.entries<Answer>(answers).map(([name, answer]) => [name, scoreOf(answer)]);
    const scores = Object.fromEntries(named) as Scores<Qs>;
    const failed = rules.filter(([, rule]) => !rule(scores)).map(([name]) => name);
    return { index, row, scores, kept: failed.length === 0, failed };
  };
  yield* mapOrdered(rows, atOnce, judge, options.signal);
}
