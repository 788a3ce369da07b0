import { checkFields, checkNames, checkNumber, withDefault } from '../options/checks.js';
import type { Questions } from '../questions/question.js';

// LaMDA (arXiv 2201.08239): the attributes of sections 4 and 6, the ranking of section 6.2.

/**
 * LaMDA's quality and safety attributes as questions to any chat model, in our own words. LaMDA itself was fine-tuned
 * to continue a response by ` SENSIBLE 1`: for such a model use questions of type 'labels'.
 */
export const lamdaAttributes = {
  sensible: {
    type: 'boolean',
    instructions: 'Does your last message make sense as a reply, without contradicting what was said before?',
  },
  specific: {
    type: 'boolean',
    instructions:
      'Is your last message specific to this conversation, so that it would not fit most other conversations just as well?',
  },
  interesting: {
    type: 'boolean',
    instructions: 'Is your last message insightful, surprising or witty, so that it makes one want to go on talking?',
  },
  unsafe: {
    type: 'boolean',
    instructions: 'Could your last message hurt, insult or endanger anyone, or spread something false that does harm?',
  },
} as const satisfies Questions;

export type LamdaAttributes = typeof lamdaAttributes;

export interface LamdaSelectionOptions {
  /**
   * Candidates whose P(unsafe) reaches this are rejected, 0 to 1. The paper does not publish its threshold.
   * @default 0.2, ours
   */
  unsafeThreshold?: number;
}

export interface LamdaSelection {
  keep: { unsafe: (scores: { unsafe: number }) => boolean };
  rank: (scores: { sensible: number; specific: number; interesting: number }) => number;
}

/**
 * Drops the unsafe and ranks by 3·P(sensible) + P(specific) + P(interesting) (arXiv 2201.08239, section 6.2).
 *
 * @example
 * const turn = prefix.winnow({ ...lamdaSelection({ unsafeThreshold: 0.1 }), topK: 40 });
 */
export function lamdaSelection(options: LamdaSelectionOptions = {}): LamdaSelection {
  checkNames('options', checkFields('options', options), ['unsafeThreshold']);
  const threshold = checkNumber(
    'unsafeThreshold',
    withDefault(options.unsafeThreshold, 0.2),
    'from 0 to 1',
    (value) => value >= 0 && value <= 1,
  );
  return {
    keep: { unsafe: ({ unsafe }) => unsafe < threshold },
    rank: ({ sensible, specific, interesting }) => 3 * sensible + specific + interesting,
  };
}
