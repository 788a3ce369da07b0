import { random } from '../gguf-mutations.js';

/** A seeded stream of choices: the same seed makes the same case, whatever came before it. */
export class Choices {
  readonly #next: (limit: number) => number;

  constructor(seed: number) {
    this.#next = random(seed + 1);
  }

  /** 0 … limit − 1 */
  below(limit: number): number {
    return this.#next(limit);
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** In so many of a hundred cases. */
  percent(share: number): boolean {
    return this.below(100) < share;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  list<T>(least: number, most: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.between(least, most) }, (_, index) => make(index));
  }
}
