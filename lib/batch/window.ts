// Rows in the order in which an engine with a prefix cache does least work, and enough of them at once to fill its batch.
import { onAbort } from '../abort.js';

/** Sizes are characters of text: good enough to know how many rows make a few steps. */
export interface Placed {
  /** Rows with the same key have the same context. */
  key: string;
  contextSize: number;
  /** Of what is asked behind the context. */
  askedSize: number;
}

export interface WindowOptions {
  /** Rows read ahead. */
  rows: number;
  /** Characters of the rows read ahead. */
  size: number;
  /** Characters that the engine is given at once; a context that it has computed does not count. */
  flightSize: number;
  /** Rows that the engine is given at once, however long, and however short. */
  minFlight: number;
  maxFlight: number;
  /** Results in the order of their rows. */
  ordered: boolean;
  signal?: AbortSignal;
}

interface Entry<Row extends Placed> {
  row: Row;
  index: number;
}

/** What is done with rows. `Shared` is what rows with the same context have in common while they run. */
export interface RowWork<Row, Result, Shared> {
  /** Computes the context of several rows, which begin when it has ended; undefined = each for itself. Never rejects. */
  open(row: Row, signal: AbortSignal): Promise<Shared | undefined>;
  run(row: Row, signal: AbortSignal, shared: Shared | undefined): Promise<Result>;
  /** The last of these rows has ended. */
  close(shared: Shared): void;
}

/** Rows of one context that is open. */
interface Group<Row extends Placed, Shared> {
  shared: Shared | undefined;
  waiting: Entry<Row>[];
  running: number;
}

/** How long the engine waits for rows that a slow source might still bring, before it begins with those at hand. */
const lingerMs = 10;

/** Contexts with rows behind them that are begun at the same time: more might push each other out of the cache. */
const maxOpenGroups = 4;

/**
 * The results of `work` on every row. A context that several rows of the window have is opened first, and they follow
 * when it has been computed, before rows of another. Throws what the source or `work` throws, or `signal.reason`.
 */
export async function* mapGrouped<Row extends Placed, Result, Shared>(
  source: AsyncIterable<Row>,
  work: RowWork<Row, Result, Shared>,
  options: WindowOptions,
): AsyncGenerator<Result, void> {
  const run = new GroupedMap(source, work, options);
  const removeListener = options.signal && onAbort(options.signal, () => run.fail(options.signal!.reason));
  try {
    options.signal?.throwIfAborted();
    for (let next = await run.next(); next; next = await run.next()) yield next.result;
  } finally {
    removeListener?.();
    run.stop();
  }
}

class GroupedMap<Row extends Placed, Result, Shared> {
  readonly #iterator: AsyncIterator<Row>;
  readonly #work: RowWork<Row, Result, Shared>;
  readonly #options: WindowOptions;
  readonly #controller = new AbortController();
  // Rows that wait, by key: nobody has begun / the context is being computed / it is there. Groups that are open keep
  // their place after their last row has begun, for rows that might still come.
  readonly #cold = new Map<string, Entry<Row>[]>();
  readonly #opening = new Map<string, Entry<Row>[]>();
  readonly #open = new Map<string, Group<Row, Shared>>();
  readonly #warm = new Map<string, Group<Row, Shared>>(); // Of the open ones, those with rows that wait.
  readonly #done = new Map<number, { result: Result; size: number }>(); // In order of completion.
  #waiting = 0; // Rows of the three maps.
  #flight = { rows: 0, size: 0 };
  #read = { rows: 0, size: 0 }; // Whose results have not been taken.
  #readRows = 0;
  #takenRows = 0;
  #isReading = false;
  #isStalled = false;
  #stallTimer: NodeJS.Timeout | undefined;
  #begunReads = 0;
  #isEnded = false;
  #failure: { error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(source: AsyncIterable<Row>, work: RowWork<Row, Result, Shared>, options: WindowOptions) {
    this.#iterator = source[Symbol.asyncIterator]();
    this.#work = work;
    this.#options = options;
  }

  /** undefined = that was all. */
  async next(): Promise<{ result: Result } | undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      this.#fill();
      this.#dispatch();
      const next = this.#take();
      if (next) return next;
      if (this.#isEnded && this.#readRows === this.#takenRows) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  stop(): void {
    clearTimeout(this.#stallTimer);
    this.#controller.abort();
    for (const { shared } of this.#open.values()) if (shared !== undefined) this.#work.close(shared);
    if (this.#isEnded) return;
    this.#isEnded = true;
    // What its closing throws has nowhere to go: the loop has ended for another reason.
    void Promise.resolve(this.#iterator.return?.()).catch(() => {});
  }

  get #canRead(): boolean {
    const { rows, size } = this.#options;
    return !this.#isEnded && this.#waiting < rows && this.#read.rows < 2 * rows && this.#read.size < size;
  }

  // Reads on and on, whether or not anybody waits for a result.
  #fill(): void {
    if (this.#isReading || !this.#canRead) return;
    this.#isReading = true;
    void this.#readOn().catch((error: unknown) => this.fail(error));
  }

  async #readOn(): Promise<void> {
    while (this.#canRead) {
      this.#begunReads++;
      this.#watchSource();
      const next = await this.#iterator.next();
      this.#isStalled = false;
      if (this.#controller.signal.aborted) return;
      if (next.done) this.#isEnded = true;
      else this.#add(next.value);
      if (this.#isPrimed) this.#dispatch();
    }
    this.#isReading = false;
    this.#wake();
  }

  // Between two looks at a source that has stalled no read has begun. Clocks, which may jump, have no say.
  #watchSource(): void {
    if (this.#stallTimer) return;
    const begunReads = this.#begunReads;
    this.#stallTimer = setTimeout(() => {
      this.#stallTimer = undefined;
      if (!this.#isReading) return;
      this.#isStalled = this.#begunReads === begunReads;
      if (this.#isStalled) this.#dispatch();
      else this.#watchSource();
    }, lingerMs);
  }

  #add(row: Row): void {
    const entry = { row, index: this.#readRows++ };
    this.#read.rows++;
    this.#read.size += row.contextSize + row.askedSize;
    this.#waiting++;
    const open = this.#open.get(row.key);
    if (open) this.#warm.set(row.key, open);
    const group = open?.waiting ?? this.#opening.get(row.key) ?? this.#cold.get(row.key);
    if (group) group.push(entry);
    else this.#cold.set(row.key, [entry]);
  }

  get #isPrimed(): boolean {
    return this.#isEnded || this.#isStalled || !this.#canRead || 2 * this.#waiting >= this.#options.rows;
  }

  #dispatch(): void {
    while (this.#isPrimed && this.#hasRoom && !this.#failure && !this.#controller.signal.aborted) {
      if (!this.#startWarm() && !this.#startCold()) return;
    }
  }

  get #hasRoom(): boolean {
    const { flightSize, minFlight, maxFlight } = this.#options;
    const { rows, size } = this.#flight;
    return rows < minFlight || (rows < maxFlight && size < flightSize);
  }

  #startWarm(): boolean {
    const [first] = this.#warm;
    if (!first) return false;
    const [key, group] = first;
    const entry = group.waiting.shift()!;
    if (group.waiting.length === 0) this.#warm.delete(key);
    group.running++;
    this.#start(entry, entry.row.askedSize, group.shared, () => this.#leave(key, group));
    return true;
  }

  #startCold(): boolean {
    const [first] = this.#cold;
    if (!first) return false;
    const [key, group] = first;
    if (group.length > 1) return this.#opening.size + this.#open.size < maxOpenGroups && this.#openGroup(key, group);
    this.#cold.delete(key);
    this.#start(group[0], group[0].row.contextSize + group[0].row.askedSize, undefined, () => {});
    return true;
  }

  #openGroup(key: string, waiting: Entry<Row>[]): boolean {
    this.#cold.delete(key);
    this.#opening.set(key, waiting);
    const [{ row }] = waiting;
    this.#enter(row.contextSize);
    void this.#work.open(row, this.#controller.signal).then((shared) => {
      this.#exit(row.contextSize);
      if (this.#controller.signal.aborted) return void (shared !== undefined && this.#work.close(shared));
      const group = { shared, waiting, running: 0 };
      this.#opening.delete(key);
      this.#open.set(key, group);
      this.#warm.set(key, group);
      this.#goOn();
    });
    return true;
  }

  #leave(key: string, group: Group<Row, Shared>): void {
    if (--group.running > 0 || group.waiting.length > 0) return;
    this.#open.delete(key);
    if (group.shared !== undefined) this.#work.close(group.shared);
  }

  #start({ row, index }: Entry<Row>, size: number, shared: Shared | undefined, onEnd: () => void): void {
    this.#waiting--;
    this.#enter(size);
    this.#work.run(row, this.#controller.signal, shared).then(
      (result) => {
        this.#exit(size);
        onEnd();
        this.#done.set(index, { result, size: row.contextSize + row.askedSize });
        this.#goOn();
      },
      (error: unknown) => this.fail(error),
    );
  }

  #enter(size: number): void {
    this.#flight.rows++;
    this.#flight.size += size;
  }

  #exit(size: number): void {
    this.#flight.rows--;
    this.#flight.size -= size;
  }

  // The engine goes on while nobody takes results, as far as the window goes.
  #goOn(): void {
    this.#fill();
    this.#dispatch();
    this.#wake();
  }

  #take(): { result: Result } | undefined {
    const index = this.#options.ordered ? this.#takenRows : this.#done.keys().next().value;
    const next = index === undefined ? undefined : this.#done.get(index);
    if (index === undefined || next === undefined) return undefined;
    this.#done.delete(index);
    this.#takenRows++;
    this.#read.rows--;
    this.#read.size -= next.size;
    return next;
  }
}
