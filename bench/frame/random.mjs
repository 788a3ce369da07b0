// Prompts made by a seed: the same in every engine, different in every run, so that no cache knows them yet.

/** Numbers in [0, 1): a linear congruential generator (Numerical Recipes, section 7.1). */
export function makeRandom(seed) {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

const ordinary = 1000; // Ids below it are special tokens and single bytes in the usual vocabularies.

/** `tokens(length)` gives that many ordinary token ids, none of `excluded`. `run`: 0 = warm-up and tuning. */
export function makeTokenSource({ seed, run, vocabularySize, excluded = [] }) {
  const isExcluded = new Set(excluded);
  const random = makeRandom(seed * 7919 + run);
  const range = Math.max(vocabularySize - ordinary, 1);
  const draw = () => {
    for (;;) {
      const token = ordinary + Math.floor(random() * range);
      if (!isExcluded.has(token)) return token;
    }
  };
  return (length) => Array.from({ length }, draw);
}
