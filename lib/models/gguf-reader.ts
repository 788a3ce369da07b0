// Bounded reads from the bytes of a GGUF header.
import { valueSizes, valueType } from './gguf-types.js';

/** The largest vocabularies take some 20 MB. */
export const maxHeaderBytes = 256 << 20;

/** What is wrong with the bytes at `offset`. */
export class GgufError extends Error {
  constructor(
    readonly reason: string,
    readonly offset: number,
  ) {
    super(`${reason} (at byte ${offset})`);
  }
}

/** The header goes on behind the bytes that have been read so far. */
export class NeedMoreBytes extends Error {}

export class GgufReader {
  position = 0;
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly fileSize: number,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(reason: string, offset = this.position): never {
    throw new GgufError(reason, offset);
  }

  /** Moves on by `count` bytes and returns where they start. */
  take(count: number, what: string): number {
    const start = this.position;
    if (count > this.fileSize - start) this.fail(`${what} goes beyond the end of the file`);
    if (count > this.bytes.length - start) throw new NeedMoreBytes();
    this.position += count;
    return start;
  }

  uint8(what: string): number {
    return this.#view.getUint8(this.take(1, what));
  }

  uint32(what: string): number {
    return this.#view.getUint32(this.take(4, what), true);
  }

  /** An unsigned 64-bit number that must not be larger than `max`, itself a safe integer. */
  uint64(what: string, max = Number.MAX_SAFE_INTEGER): number {
    const start = this.take(8, what);
    const value = this.#view.getBigUint64(start, true);
    if (value > BigInt(max)) this.fail(`${what} is ${value}, more than ${max}`, start);
    return Number(value);
  }

  number(type: number, what: string): number | boolean {
    const start = this.take(valueSizes.get(type) ?? 0, what);
    const view = this.#view;
    if (type === valueType.bool) return this.#boolean(start, what);
    const read = [
      () => view.getUint8(start),
      () => view.getInt8(start),
      () => view.getUint16(start, true),
      () => view.getInt16(start, true),
      () => view.getUint32(start, true),
      () => view.getInt32(start, true),
      () => view.getFloat32(start, true),
    ][type];
    if (read) return read();
    if (type === 12) return view.getFloat64(start, true);
    return Number(type === 10 ? view.getBigUint64(start, true) : view.getBigInt64(start, true));
  }

  #boolean(start: number, what: string): boolean {
    const value = this.bytes[start];
    if (value !== 0 && value !== 1) this.fail(`${what} must be 0 or 1, is ${value}`, start);
    return value === 1;
  }

  /** Length and start of a string, which is left undecoded. */
  span(what: string, maxBytes = maxHeaderBytes): { start: number; length: number } {
    const length = this.uint64(`the length of ${what}`, maxBytes);
    return { start: this.take(length, what), length };
  }

  text({ start, length }: { start: number; length: number }): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString('utf8');
  }
}
