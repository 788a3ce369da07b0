import { oneLine } from './text.js';
import { createRetrieval } from './tools/retrieval.js';

/** What has been learned about the persons of a conversation, for later conversations too. `JSON.stringify()` keeps it. */
export class LongTermMemory {
  readonly #facts: string[];

  /** `facts`: of an earlier conversation. */
  constructor(facts: readonly string[] = []) {
    this.#facts = [...new Set(facts.map(oneLine))];
  }

  get facts(): readonly string[] {
    return this.#facts;
  }

  /** False for what it knows, and for nothing. */
  add(fact: string): boolean {
    const text = oneLine(fact);
    if (text === '' || this.#facts.includes(text)) return false;
    this.#facts.push(text);
    return true;
  }

  /** Those that fit the text, the best first (BM25); the newest where none does. */
  async relevant(text: string, most: number): Promise<string[]> {
    const search = createRetrieval(
      this.#facts.map((fact) => ({ text: fact })),
      { most },
    );
    const found = await search(text, { signal: new AbortController().signal });
    const texts = found.map((one) => (typeof one === 'string' ? one : one.text));
    return texts.length > 0 ? texts : this.#facts.slice(-most).reverse();
  }

  toJSON(): readonly string[] {
    return this.#facts;
  }
}
