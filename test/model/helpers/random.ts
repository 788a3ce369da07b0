/** A seeded stream of numbers (xorshift32): the same in every run. */
export class Random {
  #state: number;

  /** `seed`: any integer but 0. */
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** 0 ≤ x < 1 */
  next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state = (this.#state ^ (this.#state << 5)) >>> 0;
    return this.#state / 2 ** 32;
  }

  /** 0 … limit − 1 */
  integer(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(values.length)];
  }
}
