// A turn of LaMDA (arXiv 2201.08239): candidates drawn on one context, each asked the same questions about it.
import { evaluated, exactly } from '../frame/agreement.mjs';
import { evaluationMetrics } from './common.mjs';

const suffixTokens = 2;

/** Question tokens, and the last token of the candidate, which is not in the cache until something follows it. */
const evaluatedPerCandidate = (questions) => 1 + questions * suffixTokens;

export default {
  name: 'lamda-turn',
  isQuick: true,
  operation: 'turn',
  sizes: [{ contextTokens: 1024, candidates: 16, maxTokens: 64, questions: 4 }],
  quickSizes: [{ contextTokens: 256, candidates: 4, maxTokens: 16, questions: 4 }],

  workload({ contextTokens, candidates, maxTokens, questions }, tokens, seed) {
    const context = tokens(contextTokens);
    const asked = Array.from({ length: questions }, () => ({ suffix: tokens(suffixTokens), label: tokens(1) }));
    return { operation: 'turn', context, candidates, maxTokens, questions: asked, temperature: 1, topK: 40, seed };
  },
  warmUp: (size) => ({ ...size, contextTokens: 32, candidates: 2, maxTokens: 4 }),

  expected({ context, candidates, maxTokens, questions }) {
    const shared = context.length + candidates * evaluatedPerCandidate(questions.length);
    const asked = candidates * questions.length * (context.length + maxTokens + suffixTokens);
    return {
      generatedTokens: exactly(candidates * maxTokens),
      scores: exactly(candidates * questions.length),
      evaluatedTokens: evaluated(shared, candidates * context.length + asked),
    };
  },
  metrics: (_, result) => evaluationMetrics(result),
};
