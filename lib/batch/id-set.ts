import { hash } from 'node:crypto';

const segmentBits = 8;
const firstCapacity = 64; // Slots of a new segment.
const fullest = 0.8;
const growth = 1.5;

/**
 * Row keys, 8 bytes each in an open-addressing table that is at most 80 % full: 10 to 16 bytes per key. Two of ten million
 * keys are taken for one another with a probability of 1 in 100,000 (62 bits of a SHA-1). Each key has one mark.
 */
export class IdSet {
  readonly #segments = Array.from({ length: 1 << segmentBits }, () => new Segment(firstCapacity));
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Bytes of the tables. */
  get byteLength(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.byteLength, 0);
  }

  /** Returns false where the key was there already. `isMarked` is kept with a new key. */
  add(key: string, isMarked = false): boolean {
    const { segment, high, low } = this.#find(key);
    const isNew = segment.add(high, low, isMarked);
    if (isNew) this.#size++;
    return isNew;
  }

  has(key: string): boolean {
    const { segment, high, low } = this.#find(key);
    return segment.has(high, low);
  }

  /** Takes the mark off a key. Returns whether it had one. */
  unmark(key: string): boolean {
    const { segment, high, low } = this.#find(key);
    return segment.unmark(high, low);
  }

  #find(key: string): { segment: Segment; high: number; low: number } {
    const digest = hash('sha1', key, 'buffer');
    return { segment: this.#segments[digest[8]], high: digest.readUInt32LE(0), low: digest.readUInt32LE(4) };
  }
}

// Of `high` two bits are ours: taken, marked.
const taken = 0x8000_0000;
const marked = 0x4000_0000;
const highMask = 0x3fff_ffff;

/** One of 256 tables: they grow one at a time, so that growing needs little memory beside what is there. */
class Segment {
  #slots: Uint32Array; // Pairs of high and low.
  #used = 0;

  constructor(capacity: number) {
    this.#slots = new Uint32Array(2 * capacity);
  }

  get byteLength(): number {
    return this.#slots.byteLength;
  }

  add(high: number, low: number, isMarked: boolean): boolean {
    if (this.#used + 1 > fullest * this.#capacity) this.#grow();
    const slot = this.#slotOf(high, low);
    if (this.#slots[slot] !== 0) return false;
    this.#put(slot, ((high & highMask) | taken | (isMarked ? marked : 0)) >>> 0, low);
    return true;
  }

  has(high: number, low: number): boolean {
    return this.#slots[this.#slotOf(high, low)] !== 0;
  }

  unmark(high: number, low: number): boolean {
    const slot = this.#slotOf(high, low);
    const isMarked = (this.#slots[slot] & marked) !== 0;
    this.#slots[slot] &= ~marked;
    return isMarked;
  }

  get #capacity(): number {
    return this.#slots.length / 2;
  }

  #put(slot: number, high: number, low: number): void {
    this.#slots[slot] = high;
    this.#slots[slot + 1] = low;
    this.#used++;
  }

  // Where the key is, or would be.
  #slotOf(high: number, low: number): number {
    const capacity = this.#capacity;
    for (let place = low % capacity; ; place = (place + 1) % capacity) {
      const found = this.#slots[2 * place];
      const isIt = (found & highMask) === (high & highMask) && this.#slots[2 * place + 1] === low;
      if (found === 0 || isIt) return 2 * place;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(2 * Math.ceil(growth * (old.length / 2)));
    this.#used = 0;
    for (let slot = 0; slot < old.length; slot += 2)
      if (old[slot] !== 0) this.#put(this.#slotOf(old[slot], old[slot + 1]), old[slot], old[slot + 1]);
  }
}
