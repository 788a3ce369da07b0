/**
 * What a workload needs room for, in tokens: `sequences` at once of `sequenceTokens` at most; `totalTokens` if each keeps
 * its own copy of everything, `sharedTokens` if what is alike is kept once.
 */
export function shapeOf(workload) {
  return shapes[workload.operation](workload);
}

const mostAtOnce = 32; // Of engines that must be told how many.

const shapes = {
  generate: shapeOfRequests,
  overhead: shapeOfRequests,
  mixed({ requests, maxTokens, job }) {
    const shapes = [shapeOfRequests({ requests, maxTokens }), shapeOfRequests(job)];
    const sum = (name) => shapes[0][name] + shapes[1][name];
    const sequenceTokens = Math.max(...shapes.map((shape) => shape.sequenceTokens));
    const totalTokens = sum('totalTokens');
    return { sequences: sum('sequences'), sequenceTokens, totalTokens, sharedTokens: totalTokens };
  },
  serve({ requests, maxTokens }) {
    const sequences = Math.min(requests.length, mostAtOnce);
    const sequenceTokens = Math.max(...requests.map(({ length }) => length)) + maxTokens;
    const totalTokens = sequences * sequenceTokens;
    return { sequences, sequenceTokens, totalTokens, sharedTokens: totalTokens };
  },
  turn({ context, candidates, maxTokens, questions }) {
    const asked = questions.reduce((total, { suffix, label }) => total + suffix.length + label.length, 0);
    const behind = Math.max(...questions.map(({ suffix, label }) => suffix.length + label.length));
    const sequenceTokens = context.length + maxTokens + behind;
    const sharedTokens = context.length + candidates * (maxTokens + asked);
    return { sequences: candidates, sequenceTokens, totalTokens: candidates * sequenceTokens, sharedTokens };
  },
  sift({ contexts, candidates, maxTokens }) {
    const sequences = contexts.length * candidates;
    const behind = maxTokens + 2; // The question and its label.
    const sequenceTokens = contexts[0].length + behind;
    const sharedTokens = contexts.length * contexts[0].length + sequences * behind;
    return { sequences, sequenceTokens, totalTokens: sequences * sequenceTokens, sharedTokens };
  },
  score({ texts, questions }) {
    const sequences = Math.min(texts.length, mostAtOnce);
    const asked = questions.map(({ suffix, label }) => suffix.length + label.length);
    const longest = Math.max(...texts.map(({ length }) => length));
    const sequenceTokens = longest + Math.max(...asked);
    const sharedTokens = sequences * (longest + asked.reduce((total, tokens) => total + tokens, 0));
    return { sequences, sequenceTokens, totalTokens: sequences * sequenceTokens, sharedTokens };
  },
  /** Texts are tokenised again, so that there may be more. */
  rows({ filed }) {
    const shape = shapes.choose({ items: filed });
    return { ...shape, sequenceTokens: 2 * shape.sequenceTokens, sharedTokens: 2 * shape.sharedTokens };
  },
  choose({ items }) {
    const sequences = Math.min(items.length, mostAtOnce);
    const longest = (lists) => Math.max(...lists.map(({ length }) => length));
    const textTokens = longest(items.map(({ text }) => text));
    const choiceTokens = longest(items.flatMap(({ choices }) => choices));
    const sequenceTokens = textTokens + choiceTokens + 1; // Some engines can't but draw one.
    const sharedTokens = sequences * (textTokens + longest(items.map(({ choices }) => choices)) * choiceTokens);
    return { sequences, sequenceTokens, totalTokens: sequences * sequenceTokens, sharedTokens };
  },
};

function shapeOfRequests({ requests, maxTokens, prefixTokens = 0 }) {
  const lengths = requests.map(({ length }) => length + maxTokens);
  const totalTokens = lengths.reduce((total, length) => total + length, 0);
  const sharedTokens = totalTokens - prefixTokens * (requests.length - 1);
  return { sequences: requests.length, sequenceTokens: Math.max(...lengths), totalTokens, sharedTokens };
}
