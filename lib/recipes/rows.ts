// Recipes over data sets: rows in, rows out, some at once, in order.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';

/**
 * Works on up to `atOnce` items at a time and yields the results in the items' order. The source is read no faster than
 * results are taken. What the work or the source throws ends it, and the work that still runs gets an aborted signal.
 */
export async function* mapOrdered<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  atOnce: number,
  work: (item: Item, index: number, signal: AbortSignal) => Promise<Result>,
  signal?: AbortSignal,
): AsyncGenerator<Result, void> {
  const controller = new AbortController();
  const stop = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
  const running: Promise<Result>[] = [];
  try {
    let index = 0;
    for await (const item of items) {
      stop.throwIfAborted();
      running.push(started(work(item, index++, stop)));
      if (running.length >= atOnce) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    controller.abort(); // The reader has gone, or something failed.
  }
}

/** Its failure is reported when its turn comes, not before. */
function started<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(() => {});
  return work;
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
