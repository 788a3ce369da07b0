// Damages a GGUF file in the ways that files are damaged and attacked: flipped bits, huge numbers, moved, repeated,
// removed and cut-off bytes. The same seed gives the same damage.

/** Marsaglia's xorshift (Journal of Statistical Software 8(14), 2003), 32 bits. */
export function random(seed: number): (limit: number) => number {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const hugeNumbers = [0n, 1n, 0x7fn, 0xffn, 0x7fff_ffffn, 0xffff_ffffn, 0x7fff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn];

type Mutation = (bytes: Buffer, at: number, next: (limit: number) => number) => Buffer;

const mutations: Mutation[] = [
  (bytes, at, next) => {
    bytes[at] ^= 1 << next(8);
    return bytes;
  },
  (bytes, at, next) => {
    bytes[at] = next(256);
    return bytes;
  },
  (bytes, at, next) => {
    if (at + 8 <= bytes.length) bytes.writeBigUInt64LE(hugeNumbers[next(hugeNumbers.length)] ?? 0n, at);
    return bytes;
  },
  (bytes, at, next) => {
    if (at + 4 <= bytes.length) bytes.writeUInt32LE(next(64), at);
    return bytes;
  },
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at, next) =>
    Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + next(16)))]),
  (bytes, at, next) => Buffer.concat([bytes.subarray(0, at + 1 + next(16)), bytes.subarray(at)]),
];

/** One to four damages; three in four of them where the header is. */
export function mutate(original: Buffer, headerBytes: number, seed: number): Buffer {
  const next = random(seed);
  let bytes: Buffer = Buffer.from(original);
  for (let count = 1 + next(4); count > 0 && bytes.length > 0; count--) {
    const region = next(4) ? Math.min(headerBytes, bytes.length) : bytes.length;
    const mutation = mutations[next(mutations.length)];
    if (mutation) bytes = mutation(bytes, next(region), next);
  }
  return bytes;
}
