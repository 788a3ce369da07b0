// A set of candidates of which half fail a question, with and without asking it while they are generated.
//
// The set is constructed: behind the marker M every context says the same word, again and again, in one half of them the
// good one, in the other half the bad one. Asked "M", a model with any memory for what it has read gives the word of its
// context, early and late: what fails at the end fails at the first check, and the same candidates pass.
import { evaluated, exactly } from '../frame/agreement.mjs';
import { evaluationMetrics } from './common.mjs';

const threshold = 0.5; // P(good), of the two words.
const repeats = 12; // Of marker and word, in each context.

export default {
  name: 'early-rejection',
  isQuick: false,
  operation: 'sift',
  // `every`: tokens between checks; 0 = the question is asked of finished candidates alone.
  sizes: [
    { contexts: 8, contextTokens: 128, candidates: 8, maxTokens: 64, every: 0 },
    { contexts: 8, contextTokens: 128, candidates: 8, maxTokens: 64, every: 8 },
  ],
  quickSizes: [
    { contexts: 2, contextTokens: 96, candidates: 4, maxTokens: 32, every: 0 },
    { contexts: 2, contextTokens: 96, candidates: 4, maxTokens: 32, every: 4 },
  ],

  workload({ contexts, contextTokens, candidates, maxTokens, every }, tokens, seed) {
    const [marker, good, bad] = tokens(3);
    const makeContext = (_, index) => spread(tokens(contextTokens - 2 * repeats), [marker, index % 2 ? bad : good]);
    return {
      operation: 'sift',
      contexts: Array.from({ length: contexts }, makeContext),
      candidates,
      maxTokens,
      every,
      question: { suffix: [marker], labels: { good: [good], bad: [bad] } },
      threshold,
      temperature: 1,
      topK: 40,
      seed,
    };
  },
  warmUp: (size) => ({ ...size, contexts: 2, candidates: 2, maxTokens: 8, every: size.every && 4 }),

  expected({ contexts, candidates, maxTokens, every }) {
    const good = (contexts.length / 2) * candidates;
    const stoppedAt = every || maxTokens;
    const checks = every ? good * Math.floor((maxTokens - 1) / every) + good : 0;
    const asked = every ? good : 2 * good; // At the end: the question's token, and the candidate's last one.
    const read = contexts.reduce((total, { length }) => total + length, 0);
    return {
      kept: exactly(good),
      generatedTokens: exactly(good * maxTokens + good * stoppedAt),
      evaluatedTokens: evaluated(read + checks + 2 * asked),
    };
  },
  metrics: (_, result) => ({
    'generated-tokens': { value: result.generatedTokens, unit: 'tokens' },
    ...evaluationMetrics(result),
    // A number that stands for the texts of all candidates that passed: equal numbers, equal sets.
    'answer-set': { value: result.answerSet, unit: '' },
  }),
};

/** `pair` after every few of `tokens`, `repeats` times, the last at the end. */
function spread(tokens, pair) {
  const length = Math.ceil(tokens.length / repeats);
  return Array.from({ length: repeats }, (_, index) => [
    ...tokens.slice(index * length, (index + 1) * length),
    ...pair,
  ]).flat();
}
