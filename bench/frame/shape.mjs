/**
 * What a workload needs room for, in tokens: `sequences` at once of `sequenceTokens` at most; `totalTokens` if each keeps
 * its own copy of everything, `sharedTokens` if what is alike is kept once.
 */
export function shapeOf(workload) {
  return shapes[workload.operation](workload);
}

const mostTextsAtOnce = 32; // Of engines that must be told how many.

const shapes = {
  generate({ requests, maxTokens, prefixTokens = 0 }) {
    const lengths = requests.map(({ length }) => length + maxTokens);
    const totalTokens = lengths.reduce((total, length) => total + length, 0);
    const sharedTokens = totalTokens - prefixTokens * (requests.length - 1);
    return { sequences: requests.length, sequenceTokens: Math.max(...lengths), totalTokens, sharedTokens };
  },
  turn({ context, candidates, maxTokens, questions }) {
    const asked = questions.reduce((total, { suffix, label }) => total + suffix.length + label.length, 0);
    const behind = Math.max(...questions.map(({ suffix, label }) => suffix.length + label.length));
    const sequenceTokens = context.length + maxTokens + behind;
    const sharedTokens = context.length + candidates * (maxTokens + asked);
    return { sequences: candidates, sequenceTokens, totalTokens: candidates * sequenceTokens, sharedTokens };
  },
  score({ texts, questions }) {
    const sequences = Math.min(texts.length, mostTextsAtOnce);
    const asked = questions.map(({ suffix, label }) => suffix.length + label.length);
    const longest = Math.max(...texts.map(({ length }) => length));
    const sequenceTokens = longest + Math.max(...asked);
    const sharedTokens = sequences * (longest + asked.reduce((total, tokens) => total + tokens, 0));
    return { sequences, sequenceTokens, totalTokens: sequences * sequenceTokens, sharedTokens };
  },
};
