// Recipes over data sets: rows in, rows out, some at once, in order.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { mapBounded } from '../bounded-map.js';

/**
 * Works on up to `atOnce` items at a time and yields the results in the items' order. The source is read no faster than
 * results are taken. Throws what the source or the work throws, or the signal's reason; what still runs is told by its signal.
 */
export function mapOrdered<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  atOnce: number,
  work: (item: Item, index: number, signal: AbortSignal) => Promise<Result>,
  signal?: AbortSignal,
): AsyncGenerator<Result, void> {
  return mapBounded(items, work, { limit: atOnce, ordered: true, ...(signal && { signal }) });
}

/** Writes rows as JSON lines, as they come. Returns how many there were. Replaces the file. */
export async function writeJsonLines(path: string, rows: AsyncIterable<unknown> | Iterable<unknown>): Promise<number> {
  const file = await open(path, 'w');
  let count = 0;
  try {
    for await (const row of rows) {
      await file.appendFile(`${JSON.stringify(row)}\n`);
      count++;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return count;
}

/** Rows of a file of JSON lines, one by one; empty lines are skipped. Throws SyntaxError for a line that is no JSON. */
export async function* readJsonLines<Row>(path: string): AsyncGenerator<Row, void> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity });
  for await (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as Row;
}
