// Files to rows. What is wrong with a row is the row's; what is wrong with the file is thrown.
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { decompress } from './compression.js';
import { JobError, goOn, RowDataError } from './errors.js';
import type { Format } from './format.js';
import { splitLines } from './lines.js';

/** A row of a file as it was found: its fields, or what is wrong with it. */
export interface InputRow {
  /** Line of the file where it begins, from 1; of a Parquet file its row. */
  line: number;
  fields?: Record<string, unknown>;
  error?: RowDataError;
}

export interface ReadOptions {
  signal?: AbortSignal;
  /** Gets how many bytes of the file have been read. */
  onRead?: (bytes: number) => void;
}

export const longestLine = 16 * 1024 * 1024; // Bytes.

/** Throws ERR_JOB_INPUT, or the signal's reason. */
export async function* readRows(
  file: string,
  format: Format,
  options: ReadOptions = {},
): AsyncGenerator<InputRow, void> {
  try {
    if (format.kind === 'parquet') yield* readParquet(file, options);
    else if (format.kind === 'csv') yield* readCsv(bytesOf(file, format, options));
    else yield* readJsonLines(bytesOf(file, format, options));
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof JobError) throw cause;
    const name = file === '-' ? 'Standard input' : file;
    throw new JobError('ERR_JOB_INPUT', `${name} can't be read: ${(cause as Error).message}. ${goOn}`, file, { cause });
  }
}

function bytesOf(file: string, { compression }: Format, { signal, onRead }: ReadOptions): AsyncIterable<Buffer> {
  const stream = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18, signal });
  return decompress(counted(stream as AsyncIterable<Buffer>, onRead), compression);
}

async function* counted(source: AsyncIterable<Buffer>, onRead?: (bytes: number) => void): AsyncGenerator<Buffer, void> {
  let bytes = 0;
  for await (const chunk of source) {
    onRead?.((bytes += chunk.length));
    yield chunk;
  }
}

async function* readJsonLines(source: AsyncIterable<Buffer>): AsyncGenerator<InputRow, void> {
  let line = 0;
  for await (const { bytes, isCut } of splitLines(source, longestLine)) {
    line++;
    const row = parseLine(line, bytes, isCut);
    if (row) yield row;
  }
}

const byteOrderMark = '\ufeff';

/** undefined = an empty line. */
function parseLine(line: number, bytes: Buffer, isCut: boolean): InputRow | undefined {
  if (isCut) return wrong(line, 'ERR_ROW_LENGTH', `is longer than ${longestLine} bytes`);
  if (bytes.includes(0))
    return wrong(line, 'ERR_ROW_ENCODING', 'has zero bytes: it is binary or UTF-16; UTF-8 is expected');
  if (!isUtf8(bytes)) return wrong(line, 'ERR_ROW_ENCODING', 'is not UTF-8');
  const text = bytes.toString('utf8');
  return parseText(line, line === 1 && text.startsWith(byteOrderMark) ? text.slice(1) : text);
}

function parseText(line: number, text: string): InputRow | undefined {
  if (text.trim() === '') return undefined;
  try {
    return asRow(line, JSON.parse(text));
  } catch (error) {
    return wrong(line, 'ERR_ROW_JSON', `is not JSON: ${(error as Error).message}`);
  }
}

function asRow(line: number, value: unknown): InputRow {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject
    ? { line, fields: value as Record<string, unknown> }
    : wrong(line, 'ERR_ROW_JSON', 'is not a JSON object');
}

function wrong(line: number, code: 'ERR_ROW_JSON' | 'ERR_ROW_ENCODING' | 'ERR_ROW_LENGTH', what: string): InputRow {
  return { line, error: new RowDataError(code, `Line ${line} ${what}`) };
}

async function* readCsv(source: AsyncIterable<Buffer>): AsyncGenerator<InputRow, void> {
  const { parse } = await import('csv-parse');
  const { Readable, pipeline } = await import('node:stream');
  const skipped: InputRow[] = [];
  const parser = parse({
    columns: true,
    bom: true,
    info: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: longestLine,
    on_skip: (error) => {
      const line = (error as { lines?: number } | undefined)?.lines ?? 0;
      skipped.push({ line, error: new RowDataError('ERR_ROW_JSON', `Line ${line}: ${error?.message}`) });
      return undefined;
    },
  });
  pipeline(Readable.from(source), parser, () => {});
  for await (const { record, info } of parser as AsyncIterable<{
    record: Record<string, string>;
    info: { lines: number };
  }>) {
    yield* skipped.splice(0);
    yield fromCells(info.lines, record);
  }
  yield* skipped.splice(0);
}

const jsonCells = new Set(['messages', 'continuations', 'questions', 'body']);

// Cells are text; those that hold lists or objects hold them as JSON. An empty cell is a field that is not there.
function fromCells(line: number, cells: Record<string, string>): InputRow {
  try {
    const filled = Object.entries(cells).filter(([, cell]) => cell !== '');
    return {
      line,
      fields: Object.fromEntries(filled.map(([name, cell]) => [name, jsonCells.has(name) ? JSON.parse(cell) : cell])),
    };
  } catch (error) {
    return wrong(line, 'ERR_ROW_JSON', `has a cell that is not JSON: ${(error as Error).message}`);
  }
}

const parquetChunk = 1024; // Rows that are decoded at once.

async function* readParquet(file: string, { signal, onRead }: ReadOptions): AsyncGenerator<InputRow, void> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const buffer = await asyncBufferFromFile(file);
  const metadata = await parquetMetadataAsync(buffer);
  const rows = Number(metadata.num_rows);
  for (let rowStart = 0; rowStart < rows; rowStart += parquetChunk) {
    signal?.throwIfAborted();
    const rowEnd = Math.min(rows, rowStart + parquetChunk);
    const records = await parquetReadObjects({ file: buffer, metadata, compressors, rowStart, rowEnd });
    onRead?.((buffer.byteLength * rowEnd) / rows);
    for (const [index, record] of records.entries()) yield { line: rowStart + index + 1, fields: plainRecord(record) };
  }
}

const plainRecord = (record: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
  );
