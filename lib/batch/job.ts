// A job over files that can be killed at any moment: the same call goes on where it stopped.
import { existsSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { packageVersion } from '../addon.js';
import { checkRowId } from '../options.js';
import { goOn, JobError, RowDataError } from './errors.js';
import type { Format } from './format.js';
import { isAppendable } from './format.js';
import { IdSet } from './id-set.js';
import { Journal } from './journal.js';
import { lockOutput } from './lock.js';
import { readRows } from './read.js';
import type { InputRow } from './read.js';
import { StandardOutput } from './standard-output.js';
import { differences, fileFacts, readState, writeState } from './state.js';
import type { FileFacts, JobState } from './state.js';
import { journalLine, rowOf, writeOutput } from './write.js';

export interface JobOptions {
  /** Name of the command, for the sidecar. */
  kind: string;
  /** Files; '-' = standard input and output. */
  input: string;
  inputFormat: Format;
  output: string;
  outputFormat: Format;
  /** File of the rows with an error, in the format of the output, made at the end like it. @default among the others */
  errorOutput?: string;
  /** Files of the model. */
  model: string[];
  /** What else the results depend on. */
  options: Record<string, unknown>;
  /** Fields of the input that the output repeats. */
  keep: string[];
  /** Name of the field that identifies a row. */
  idField: string;
  /** Rows of the input that are read at most. */
  limit: number;
  /** Of every `count` rows, the `index`-th, from 1. */
  shard: { index: number; count: number };
  /** What to do about an id that was there before: the row is an error, or every row is known by its line. */
  duplicates: 'error' | 'index';
  /** Row errors that are allowed. */
  maxErrors: number;
  /** The output is in the order of the input, made at the end. */
  ordered: boolean;
  /** Goes on although input, model or options have changed. */
  force: boolean;
  signal?: AbortSignal;
  /** Called at most ten times a second, and at the end. */
  onProgress?: (progress: JobProgress) => void;
}

/** Rows are those of this shard and limit. */
export interface JobProgress {
  /** That were finished before this run began. */
  skipped: number;
  /** That have ended in this run, errors included. */
  rows: number;
  errors: number;
  /** Of the input that has been read, 0 … 1; undefined = not known. */
  share?: number;
}

export interface JobReport extends JobProgress {
  /** There was nothing to do. */
  wasFinished: boolean;
}

/** A row that has ended, and the fields that it adds to the output. */
export interface EndedRow {
  input: InputRow;
  fields: Record<string, unknown>;
  isError: boolean;
}

/** Makes rows of results of rows; called once, when there is something to do. `started`: when the job's first run was. */
export type JobWork = (
  rows: AsyncIterable<InputRow>,
  started: Date,
) => AsyncIterable<EndedRow> | Promise<AsyncIterable<EndedRow>>;

/** Runs the job, or what is left of it. Throws JobError, what `work` throws, or the signal's reason. */
export async function runJob(options: JobOptions, work: JobWork): Promise<JobReport> {
  if (options.output === '-') return new Job(options).runInto(new StandardOutput(), work, new Date());
  const lock = await lockOutput(options.output);
  try {
    return await new Job(options).run(work);
  } finally {
    await lock.release();
  }
}

const progressMs = 100;

interface Sink {
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

class Job {
  readonly #options: JobOptions;
  readonly #known = new IdSet(); // Marked: in the output already, and not yet come by in the input.
  readonly #progress: JobProgress = { skipped: 0, rows: 0, errors: 0 };
  #inputBytes: number | undefined;
  #toldAt = -Infinity;

  constructor(options: JobOptions) {
    this.#options = options;
  }

  async run(work: JobWork): Promise<JobReport> {
    const { output, force } = this.#options;
    const [old, state] = await this.#compareStates();
    const hasOutput = existsSync(this.#isDirect ? output : this.#journalFile);
    if (old?.finished && existsSync(output)) return this.#reportFinished(old);
    if (!old && hasOutput && !force) {
      const message = `${output} is there, and nothing says that this job has written it: remove it, or go on with --force.`;
      throw new JobError('ERR_JOB_MISMATCH', message, output);
    }
    await writeState(output, state);
    const journal = await Journal.open(this.#journalFile, (line) => this.#remember(line));
    const report = await this.runInto(journal, work, new Date(state.started));
    await this.#finish(state, report);
    return report;
  }

  async runInto(sink: Sink, work: JobWork, started: Date): Promise<JobReport> {
    try {
      for await (const row of await work(this.#pendingRows(), started)) {
        await sink.append(this.#lineOf(row));
        this.#count(row);
      }
      this.#options.onProgress?.(this.#progress);
    } finally {
      await sink.close();
    }
    return { ...this.#progress, wasFinished: false };
  }

  get #isDirect(): boolean {
    const { outputFormat, ordered, errorOutput } = this.#options;
    return isAppendable(outputFormat) && !ordered && errorOutput === undefined;
  }

  get #journalFile(): string {
    return this.#isDirect ? this.#options.output : `${this.#options.output}.journal`;
  }

  async #compareStates(): Promise<[old: JobState | undefined, now: JobState]> {
    const { output, force } = this.#options;
    const found = await readState(output);
    // A sidecar alone is what is left where somebody removed an output to start over.
    const old = existsSync(output) || existsSync(this.#journalFile) ? found : undefined;
    const now = await this.#stateNow(found);
    const changes = old ? differences(old, now) : [];
    if (old && changes.length > 0 && !force) {
      const advice = 'Remove it to start over, or go on with --force.';
      throw new JobError(
        'ERR_JOB_MISMATCH',
        `${output} belongs to another job: ${changes.join(', ')}. ${advice}`,
        output,
      );
    }
    return [changes.length > 0 && old ? { ...old, finished: false } : old, now];
  }

  async #stateNow(old: JobState | undefined): Promise<JobState> {
    const { kind, input, model, options, keep, limit, shard, duplicates, ordered } = this.#options;
    const inputFacts = input === '-' ? null : await this.#factsOf(input, old?.input);
    this.#inputBytes = inputFacts?.bytes;
    return {
      version: 1,
      winnow: packageVersion(),
      kind,
      input: inputFacts,
      model: await Promise.all(model.map((file, part) => this.#factsOf(file, old?.model[part]))),
      options: { ...options, keep, limit: limit === Infinity ? null : limit, shard, duplicates, ordered },
      started: old?.started ?? new Date().toISOString(),
      finished: false,
    };
  }

  async #factsOf(file: string, known: FileFacts | null | undefined): Promise<FileFacts> {
    const { signal } = this.#options;
    try {
      return await fileFacts(file, known ?? undefined, signal);
    } catch (cause) {
      signal?.throwIfAborted();
      const message = `${file} can't be read: ${(cause as Error).message}. ${goOn}`;
      throw new JobError('ERR_JOB_INPUT', message, file, { cause });
    }
  }

  async #reportFinished({ rows = 0, errors = 0 }: JobState): Promise<JobReport> {
    await this.#removeJournal(); // It was not removed any more.
    return { skipped: rows, rows: 0, errors, share: 1, wasFinished: true };
  }

  async #finish(state: JobState, { skipped, rows, errors }: JobReport): Promise<void> {
    if (!this.#isDirect) await this.#writeOutputs();
    const { output } = this.#options;
    await writeState(output, { ...state, finished: true, rows: skipped + rows, errors });
    await this.#removeJournal();
  }

  // The output is there: a journal that can't be removed harms nobody, and the next start tries again.
  async #removeJournal(): Promise<void> {
    if (!this.#isDirect) await unlink(this.#journalFile).catch(() => {});
  }

  async #writeOutputs(): Promise<void> {
    const { output, errorOutput, outputFormat, ordered } = this.#options;
    const write = (file: string, isWanted?: (row: string) => boolean) =>
      writeOutput(this.#journalFile, file, outputFormat, { ordered, isWanted });
    if (errorOutput === undefined) return write(output);
    await write(errorOutput, (row) => hasError(JSON.parse(row) as Record<string, unknown>));
    await write(output, (row) => !hasError(JSON.parse(row) as Record<string, unknown>));
  }

  // A line of the journal, at the start.
  #remember(line: string): void {
    const { idField } = this.#options;
    try {
      const row = JSON.parse(this.#isDirect ? line : rowOf(line)) as Record<string, unknown>;
      this.#known.add(typeof row['line'] === 'number' ? lineKey(row['line']) : idKey(row[idField]), true);
      if (hasError(row)) this.#progress.errors++;
    } catch (cause) {
      const file = this.#journalFile;
      throw new JobError(
        'ERR_JOB_OUTPUT',
        `${file} has a line that is no row of this job: ${line.slice(0, 80)}`,
        file,
        { cause },
      );
    }
  }

  /** The rows of this shard and limit that are not in the output. */
  async *#pendingRows(): AsyncGenerator<InputRow, void> {
    const { input, inputFormat, limit, shard, signal } = this.#options;
    const onRead = (bytes: number) => {
      if (this.#inputBytes) this.#progress.share = Math.min(1, bytes / this.#inputBytes);
    };
    let rows = 0;
    for await (const row of readRows(input, inputFormat, { signal, onRead })) {
      if (rows === limit) return;
      if (rows++ % shard.count !== shard.index - 1) continue;
      const pending = this.#identify(row);
      if (pending) yield pending;
      else this.#progress.skipped++;
    }
  }

  /** undefined = it is in the output. */
  #identify(row: InputRow): InputRow | undefined {
    const id = this.#idOf(row);
    const key = id === undefined ? lineKey(row.line) : idKey(id);
    if (this.#known.add(key)) return row;
    if (this.#known.unmark(key)) return undefined;
    const error = new RowDataError('ERR_ROW_DUPLICATE', `Line ${row.line} has the id ${idKey(id)} of an earlier row`);
    return this.#known.add(lineKey(row.line)) ? { ...row, error } : undefined;
  }

  /** undefined = the row is known by its line. */
  #idOf({ fields, error }: InputRow): string | number | undefined {
    if (error || this.#options.duplicates === 'index') return undefined;
    try {
      return checkRowId(fields?.[this.#options.idField]);
    } catch {
      return undefined; // What is wrong with it will be the row's error.
    }
  }

  #lineOf({ input, fields }: EndedRow): string {
    const { idField, keep } = this.#options;
    const { line } = input;
    const own = input.fields ?? {};
    const isDuplicate = input.error?.code === 'ERR_ROW_DUPLICATE';
    const isByLine = isDuplicate || this.#idOf(input) === undefined;
    const kept = Object.fromEntries(keep.filter((name) => name in own).map((name) => [name, own[name]]));
    const row = JSON.stringify({ [idField]: own[idField] ?? null, ...(isByLine && { line }), ...kept, ...fields });
    return this.#isDirect || this.#options.output === '-' ? row : journalLine(line, row);
  }

  #count({ isError }: EndedRow): void {
    const { maxErrors, output } = this.#options;
    this.#progress.rows++;
    if (isError) this.#progress.errors++;
    this.#tellProgress();
    if (this.#progress.errors <= maxErrors) return;
    const message = `${this.#progress.errors} rows have failed, ${maxErrors} may (--max-errors). ${goOn}`;
    throw new JobError('ERR_JOB_ERRORS', message, output);
  }

  // Rows may end faster than what is said of them, statistics of the engine say, is found out.
  #tellProgress(): void {
    const now = performance.now();
    if (Math.abs(now - this.#toldAt) < progressMs) return;
    this.#toldAt = now;
    this.#options.onProgress?.(this.#progress);
  }
}

const hasError = ({ error }: Record<string, unknown>) => error !== undefined && error !== null;
const lineKey = (line: number) => `line:${line}`;
const idKey = (id: unknown) => JSON.stringify(id);
