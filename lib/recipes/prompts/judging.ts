/** Our own words for a judge. */
export const judgingPrompts = {
  pair: `Two assistants have answered the same conversation. Compare what they say: is it correct, helpful, to the point and harmless?

{conversation}

[Answer A]
{a}

[Answer B]
{b}

Which answer is better, A or B? The order in which they are shown means nothing. Reply with the letter alone.`,
  grade: 'How good is your last message as an answer?',
};

export type JudgingPrompts = typeof judgingPrompts;

/** The lowest first. */
export const gradeLevels = [
  'wrong, harmful or no answer at all',
  'partly right, but it misses something important',
  'right, but hard to follow or not to the point',
  'right, clear and to the point',
] as const;
