import type { Model } from '../index.js';
import type { InputRow } from './read.js';
import type { RowError } from './row-error.js';
import { settleRow } from './row-error.js';
import type { Placed } from './window.js';
import { mapGrouped } from './window.js';

export type RowFields = Record<string, unknown>;

/** What a row has become: its result, or why it has none. */
export type MappedRow =
  { input: InputRow; result: RowFields; error?: undefined } | { input: InputRow; result?: undefined; error: RowError };

interface PlacedRow extends Placed {
  input: InputRow;
}

const sizes = { rows: 4096, size: 32 * 1024 * 1024 }; // Rows and characters that are read ahead.
const flight = { minFlight: 8, maxFlight: 512 };
const charactersPerToken = 4;

/**
 * The results of `run` on rows, as they come. Rows are begun while what they may take, by `tokensOf` where that is more
 * than what they say, fits into the engine's cache: the scheduler has a choice, and nothing waits long. What is wrong with
 * a row is its result; what the source throws, and the signal's reason, is thrown.
 */
export function mapRows(
  model: Model,
  rows: AsyncIterable<InputRow>,
  run: (fields: RowFields, input: InputRow, signal: AbortSignal) => Promise<RowFields>,
  { tokensOf = () => 0, signal }: { tokensOf?: (fields: RowFields) => number; signal?: AbortSignal },
): AsyncGenerator<MappedRow, void> {
  const work = {
    open: async () => undefined, // The engine finds by itself what rows have in common.
    run: ({ input }: PlacedRow, stopped: AbortSignal) => runRow(run, input, stopped),
    close: () => {},
  };
  const flightSize = charactersPerToken * model.info.cacheTokens;
  return mapGrouped(placed(rows, tokensOf), work, { ...sizes, ...flight, flightSize, ordered: false, signal });
}

async function* placed(
  rows: AsyncIterable<InputRow>,
  tokensOf: (fields: RowFields) => number,
): AsyncGenerator<PlacedRow, void> {
  for await (const input of rows) {
    const { line, fields = {} } = input;
    const askedSize = charactersPerToken * tokensOf(fields);
    yield { input, key: String(line), contextSize: JSON.stringify(fields).length, askedSize };
  }
}

async function runRow(
  run: (fields: RowFields, input: InputRow, signal: AbortSignal) => Promise<RowFields>,
  input: InputRow,
  signal: AbortSignal,
): Promise<MappedRow> {
  const settled = await settleRow(async () => {
    if (input.error) throw input.error;
    return run(input.fields!, input, signal);
  }, signal);
  return settled.error ? { input, error: settled.error } : { input, result: settled.result };
}

/** What a row's random numbers depend on: its id, else its place. */
export function rowKey({ fields, line }: InputRow, idField: string): string | number {
  const id = fields?.[idField];
  return typeof id === 'string' || typeof id === 'number' ? id : line;
}
