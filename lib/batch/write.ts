// The journal of a finished job as the output that was asked for.
import { open, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { compress } from './compression.js';
import { outputError } from './errors.js';
import type { Format } from './format.js';
import { readWhole, wholeLines } from './journal.js';

type Fields = Record<string, unknown>;

/** A line of the journal of an output that is made at the end: the row's line in the input, and the row. */
export const journalLine = (line: number, row: string): string => `${line}\t${row}`;
export const rowOf = (line: string): string => line.slice(line.indexOf('\t') + 1);

export interface WriteOptions {
  /** By the lines of the input. */
  ordered: boolean;
  /** Of a row as it is in the journal. @default every row */
  isWanted?: (row: string) => boolean;
}

/** Makes the output, whole or not at all. Throws ERR_JOB_OUTPUT. */
export async function writeOutput(
  journal: string,
  output: string,
  format: Format,
  { ordered, isWanted = () => true }: WriteOptions,
): Promise<void> {
  const temporary = `${output}.part`; // One writer has the lock: what a killed run left there is written over.
  try {
    const rows = () => filtered(ordered ? orderedRows(journal) : rowsOf(journal), isWanted);
    if (format.kind === 'parquet') await writeParquet(temporary, rows);
    else
      await writeBytes(
        temporary,
        compress(format.kind === 'csv' ? csvOf(rows) : jsonLines(rows()), format.compression),
      );
    await rename(temporary, output);
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    throw outputError(output, 'written', cause);
  }
}

async function writeBytes(file: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(file, 'w');
  try {
    for await (const chunk of bytes) await handle.appendFile(chunk);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const pageRows = 256; // Read and written at once.

/** Where each row stands in the journal, by its line in the input: 12 bytes per line. */
async function indexOf(journal: string): Promise<{ offsets: Float64Array; lengths: Uint32Array }> {
  let offsets = new Float64Array(1024).fill(-1);
  let lengths = new Uint32Array(1024);
  await readWhole(journal, (text, offset) => {
    const line = Number(text.slice(0, text.indexOf('\t')));
    if (line >= offsets.length) [offsets, lengths] = grown(offsets, lengths, line);
    offsets[line] = offset;
    lengths[line] = Buffer.byteLength(text);
  });
  return { offsets, lengths };
}

function grown(
  offsets: Float64Array,
  lengths: Uint32Array,
  line: number,
): [Float64Array<ArrayBuffer>, Uint32Array<ArrayBuffer>] {
  const size = Math.max(line + 1, Math.ceil(1.5 * offsets.length));
  const [more, longer] = [new Float64Array(size).fill(-1), new Uint32Array(size)];
  more.set(offsets);
  longer.set(lengths);
  return [more, longer];
}

async function* orderedRows(journal: string): AsyncGenerator<string, void> {
  const { offsets, lengths } = await indexOf(journal);
  const handle = await open(journal, 'r');
  try {
    for (let line = 0; line < offsets.length; line++)
      if (offsets[line] >= 0) yield rowOf(await readAt(handle, offsets[line], lengths[line]));
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<string> {
  const buffer = Buffer.allocUnsafe(length);
  for (let read = 0; read < length;) {
    const { bytesRead } = await handle.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) throw new Error('it has become shorter');
    read += bytesRead;
  }
  return buffer.toString('utf8');
}

async function* rowsOf(journal: string): AsyncGenerator<string, void> {
  for await (const { bytes } of wholeLines(journal)) yield rowOf(bytes.toString('utf8'));
}

async function* filtered(
  rows: AsyncIterable<string>,
  isWanted: (row: string) => boolean,
): AsyncGenerator<string, void> {
  for await (const row of rows) if (isWanted(row)) yield row;
}

async function* jsonLines(rows: AsyncIterable<string>): AsyncGenerator<Buffer, void> {
  for await (const page of pages(rows)) yield Buffer.from(`${page.join('\n')}\n`);
}

async function* pages<Row>(rows: AsyncIterable<Row>): AsyncGenerator<Row[], void> {
  let page: Row[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length < pageRows) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Nested values as columns of their own: `scores.0.logprob`. */
export function flatten(value: unknown, path = '', flat: Fields = {}): Fields {
  const isNested = typeof value === 'object' && value !== null;
  if (!isNested) flat[path] = value;
  else for (const [name, inner] of Object.entries(value)) flatten(inner, path ? `${path}.${name}` : name, flat);
  return flat;
}

type ColumnKind = 'number' | 'boolean' | 'string';

/** All columns of all rows, in the order in which they first appear; those of mixed values become text. */
async function columnsOf(rows: AsyncIterable<string>): Promise<Map<string, ColumnKind>> {
  const columns = new Map<string, ColumnKind>();
  for await (const row of rows) {
    for (const [name, value] of Object.entries(flatten(JSON.parse(row)))) {
      const kind = typeof value === 'number' || typeof value === 'boolean' ? (typeof value as ColumnKind) : 'string';
      const known = columns.get(name);
      if (value !== null) columns.set(name, known === undefined || known === kind ? kind : 'string');
    }
  }
  return columns;
}

async function* csvOf(rows: () => AsyncIterable<string>): AsyncGenerator<Buffer, void> {
  const names = [...(await columnsOf(rows())).keys()];
  yield Buffer.from(`${names.map(csvCell).join(',')}\n`);
  for await (const page of pages(rows())) {
    const lines = page.map((row) => {
      const flat = flatten(JSON.parse(row));
      return names.map((name) => csvCell(flat[name])).join(',');
    });
    yield Buffer.from(`${lines.join('\n')}\n`);
  }
}

// What flatten() leaves: text, numbers, booleans.
const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

// RFC 4180.
function csvCell(value: unknown): string {
  const text = textOf(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const parquetTypes = { number: 'DOUBLE', boolean: 'BOOLEAN', string: 'STRING' } as const;
const parquetRowGroup = 10_000;

async function writeParquet(file: string, rows: () => AsyncIterable<string>): Promise<void> {
  const { fileWriter, parquetWriteRows } = await import('hyparquet-writer');
  const columns = [...(await columnsOf(rows()))];
  await parquetWriteRows({
    writer: fileWriter(file),
    rows: parquetRecords(rows(), columns),
    columns: columns.map(([name, kind]) => ({ name, type: parquetTypes[kind], nullable: true })),
    rowGroupSize: parquetRowGroup,
  });
  await syncFile(file);
}

async function* parquetRecords(rows: AsyncIterable<string>, columns: [string, ColumnKind][]): AsyncGenerator<Fields> {
  for await (const row of rows) {
    const flat = flatten(JSON.parse(row));
    yield Object.fromEntries(columns.map(([name, kind]) => [name, parquetCell(flat[name], kind)]));
  }
}

function parquetCell(value: unknown, kind: ColumnKind): unknown {
  if (value === undefined || value === null) return null;
  return kind === 'string' ? textOf(value) : value;
}
