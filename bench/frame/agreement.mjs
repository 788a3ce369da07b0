// Are two engines computing the same thing? Asked before times are compared.

/**
 * Largest mean of |Δ log P| per token, teacher-forced, against ours. Engines round differently where weights have 4 bits
 * (docs/benchmarks.md has what was measured); another model, a shifted position or a lost token is far beyond.
 */
export const largestMeanDistance = 0.15;

/** Mean of |Δ log P|, natural logs, per token. */
export function meanDistance(ours, theirs) {
  if (ours.length !== theirs.length) return Infinity;
  const sum = ours.reduce((total, value, index) => total + Math.abs(value - (theirs[index] ?? NaN)), 0);
  const mean = sum / ours.length;
  return Number.isNaN(mean) ? Infinity : mean;
}

/** Why the outputs of a contender do not agree; empty where they do. `results`: one per run. */
export function disagreements({ reference, logprobs, expected, results }) {
  const reasons = [];
  const distance = meanDistance(reference, logprobs);
  if (!(distance <= largestMeanDistance)) {
    reasons.push(`log-probabilities are ${distance.toFixed(3)} away per token, more than ${largestMeanDistance}`);
  }
  for (const result of results) {
    const wrong = Object.entries(expected)
      .filter(([name, range]) => !isWithin(result[name], range))
      .map(
        ([name, { least, most }]) =>
          `${name} is ${result[name]}, not ${least === most ? least : `${least} to ${most}`}`,
      );
    reasons.push(...wrong.filter((reason) => !reasons.includes(reason)));
  }
  return reasons;
}

/** An engine that can't count something gives null; it may not leave it out. */
const isWithin = (value, { least, most, mayBeUnknown = false }) =>
  value === null ? mayBeUnknown : value >= least && value <= most;

export const exactly = (count) => ({ least: count, most: count });
/** Evaluated tokens: `least` where all that is alike is evaluated once, `most` where nothing is shared. */
export const evaluated = (least, most = least) => ({ least, most, mayBeUnknown: true });
