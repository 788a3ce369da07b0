// What every contender is given: the same token ids, the same counts.

/** `count` prompts of `length` token ids, all different, the same in every run. */
export function makePrompts({ count, length, vocabularySize, seed = 1 }) {
  let state = seed;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  const ordinary = 1000; // Ids below it are special tokens and single bytes in the usual vocabularies.
  const token = () => ordinary + Math.floor((next() / 2 ** 32) * (vocabularySize - ordinary));
  return Array.from({ length: count }, () => Array.from({ length }, token));
}

/** A contender's program gets its workload as JSON in the first argument and prints one line of JSON. */
export const readWorkload = () => JSON.parse(process.argv[2]);
export const report = (result) => console.log(JSON.stringify(result));

export async function timed(action) {
  const start = performance.now();
  const value = await action();
  return { seconds: (performance.now() - start) / 1000, value };
}

export function requireCounts(counts, maxTokens) {
  if (counts.some((count) => count !== maxTokens)) throw new Error(`expected ${maxTokens} tokens each, got ${counts}`);
}
