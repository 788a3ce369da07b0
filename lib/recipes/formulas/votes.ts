// Self-consistency's votes (arXiv 2203.11171, section 2 and table 1).

export interface Vote {
  answer: string;
  /** At least 0; 1 = a plain vote. */
  weight: number;
}

export interface Tally {
  answer: string;
  weight: number;
  votes: number;
}

/** The answers by their weight, the heaviest first; of equals, the one that was voted for first. */
export function tallyVotes(votes: readonly Vote[]): Tally[] {
  const tallies = new Map<string, Tally>();
  for (const { answer, weight } of votes) {
    const tally = tallies.get(answer) ?? { answer, weight: 0, votes: 0 };
    tallies.set(answer, { answer, weight: tally.weight + weight, votes: tally.votes + 1 });
  }
  return [...tallies.values()].sort((a, b) => b.weight - a.weight); // Stable: equals stay in order.
}

/**
 * Whether no outcome of the remaining votes can change the winner: `remaining` votes of at most `mostWeight` each can't
 * bring another answer, known or new, to the leader's weight. Ties are not enough: who wins them depends on the order.
 */
export function isDecided(tallies: readonly Tally[], remaining: number, mostWeight = 1): boolean {
  if (tallies.length === 0) return false;
  const [leader, runnerUp] = tallies;
  return leader.weight > (runnerUp?.weight ?? 0) + remaining * mostWeight;
}

/** The weight of a sampled path: exp of its mean log-probability per token, 0 to 1; of no token 0. */
export function pathWeight(logprobs: readonly number[]): number {
  if (logprobs.length === 0) return 0;
  return Math.exp(logprobs.reduce((sum, logprob) => sum + logprob, 0) / logprobs.length);
}
