import type { FakeOptions, LabelPlace } from './fake-native.js';

// Scripts of a fake engine, as recipes need them.

/** Each answer that is drawn says the next text, whatever is asked; the last one again and again. */
export function inTurn(texts: readonly string[]): NonNullable<FakeOptions['answer']> {
  let next = 0;
  return () => ({ pieces: [texts[Math.min(next++, texts.length - 1)]] });
}

/** Candidate i of every request says the i-th text. */
export function byCandidate(texts: readonly string[]): NonNullable<FakeOptions['answer']> {
  return (candidate) => ({ pieces: [texts[candidate % texts.length]] });
}

/** P(yes) of boolean questions in our words, by what the question says and who is asked. */
export function yesBy(probability: (suffix: string, candidate: number) => number): NonNullable<FakeOptions['logprob']> {
  return ({ label, suffix, candidate }: LabelPlace) => {
    const yes = probability(suffix, candidate);
    return Math.log(label.trim() === 'Yes' ? yes : 1 - yes);
  };
}
