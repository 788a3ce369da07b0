// Sparrow's reranking (arXiv 2209.14375): every candidate on one context is asked every rule, a tree of three levels.
import { evaluated, exactly } from '../frame/agreement.mjs';
import { evaluationMetrics } from './common.mjs';

const suffixTokens = 25; // Of a rule as a question.

export default {
  name: 'sparrow-tree',
  isQuick: false,
  operation: 'turn',
  sizes: [{ contextTokens: 1024, candidates: 8, maxTokens: 64, rules: 23 }],
  quickSizes: [{ contextTokens: 128, candidates: 2, maxTokens: 8, rules: 23 }],

  workload({ contextTokens, candidates, maxTokens, rules }, tokens, seed) {
    const context = tokens(contextTokens);
    const questions = Array.from({ length: rules }, () => ({ suffix: tokens(suffixTokens), label: tokens(1) }));
    return { operation: 'turn', context, candidates, maxTokens, questions, temperature: 1, topK: 40, seed };
  },
  warmUp: (size) => ({ ...size, contextTokens: 32, candidates: 2, maxTokens: 4, rules: 2 }),

  /** C + N · (1 + Σ t_q): a candidate's last token is evaluated once for all rules. */
  expected({ context, candidates, maxTokens, questions }) {
    const shared = context.length + candidates * (1 + questions.length * suffixTokens);
    const asked = candidates * questions.length * (context.length + maxTokens + suffixTokens);
    return {
      generatedTokens: exactly(candidates * maxTokens),
      scores: exactly(candidates * questions.length),
      evaluatedTokens: evaluated(shared, candidates * context.length + asked),
    };
  },
  metrics: ({ candidates, questions }, result) => ({
    'rules-per-second': { value: (candidates * questions.length) / result.seconds, unit: 'rules/s' },
    ...evaluationMetrics(result),
  }),
};
