import { WinnowError } from './errors.js';

/** Events on their way to one reader. Its bound is the writer's: a request sends at most so many events. */
export class EventQueue<Event> {
  #events: Event[] = [];
  #next = 0;
  #isEnded = false;
  #failure: { error: unknown } | undefined;
  #readers: (() => void)[] = [];
  #isIterated = false;

  push(event: Event): void {
    if (this.#isEnded) return;
    this.#events.push(event);
    this.#wake();
  }

  /** The reader gets what is left, then the end. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** The reader gets what is left, then the error. */
  fail(error: unknown): void {
    if (!this.#isEnded) this.#failure = { error };
    this.end();
  }

  /** The reader has gone: forgets what it has not read, the error too. */
  discard(): void {
    this.#failure = undefined;
    this.#clear();
    this.end();
  }

  async read(): Promise<IteratorResult<Event, undefined>> {
    while (this.#next === this.#events.length && !this.#isEnded) await this.#change();
    if (this.#next < this.#events.length) return { done: false, value: this.#take() };
    const failure = this.#failure;
    this.#failure = undefined; // Thrown once; after that an iterator is done.
    if (failure) throw failure.error;
    return { done: true, value: undefined };
  }

  /** The one loop over the events of `what`; a second throws `ERR_ALREADY_READ`. `onLeave`: the loop was left early. */
  iterateOnce(what: string, onLeave: () => void): AsyncIterator<Event, undefined> {
    if (this.#isIterated) throw new WinnowError('ERR_ALREADY_READ', `The events of a ${what} can be read only once.`);
    this.#isIterated = true;
    return {
      next: () => this.read(),
      return: async () => {
        onLeave();
        this.discard();
        return { done: true, value: undefined };
      },
    };
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  #wake(): void {
    const readers = this.#readers;
    this.#readers = [];
    for (const wake of readers) wake();
  }

  #take(): Event {
    const event = this.#events[this.#next++];
    if (this.#next === this.#events.length) this.#clear();
    return event;
  }

  #clear(): void {
    this.#events = [];
    this.#next = 0;
  }
}
