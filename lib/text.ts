/** Replaces lone surrogates by U+FFFD, as `String.prototype.toWellFormed` does: native code gets valid UTF-8 only. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** Length of the longest common beginning. */
export function commonLength(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}

export function startsWith(tokens: ArrayLike<number>, beginning: ArrayLike<number>): boolean {
  return commonLength(tokens, beginning) === beginning.length;
}

export function concatTokens(a: Int32Array, b: Int32Array): Int32Array {
  const joined = new Int32Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
