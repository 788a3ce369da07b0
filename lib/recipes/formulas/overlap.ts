/**
 * ROUGE-L's F1 of two texts by their words, 0 to 1 (Lin, 2004): twice the length of the longest common subsequence ÷ the sum
 * of their lengths. Self-Instruct drops what reaches 0.7 (arXiv 2212.10560, section 2.2). 0 where a text has no words.
 */
export function rougeL(a: string, b: string): number {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  const total = left.length + right.length;
  return left.length === 0 || right.length === 0 ? 0 : (2 * commonSubsequence(left, right)) / total;
}

const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Length of the longest; row by row. */
function commonSubsequence(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const word of a) {
    const next = [0];
    b.forEach((other, j) => next.push(word === other ? row[j] + 1 : Math.max(row[j + 1], next[j])));
    row = next;
  }
  return row[b.length];
}
