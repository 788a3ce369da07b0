// A classifier over many texts: each text is asked a few questions with one-token labels, nothing is generated.
import { evaluated, exactly } from '../frame/agreement.mjs';
import { evaluationMetrics } from './common.mjs';

const suffixTokens = 2;

export default {
  name: 'score-labels',
  isQuick: false,
  operation: 'score',
  sizes: [{ texts: 1000, textTokens: 64, questions: 3 }],
  quickSizes: [{ texts: 8, textTokens: 32, questions: 3 }],

  workload({ texts, textTokens, questions }, tokens) {
    const asked = Array.from({ length: questions }, () => ({ suffix: tokens(suffixTokens), label: tokens(1) }));
    return { operation: 'score', texts: Array.from({ length: texts }, () => tokens(textTokens)), questions: asked };
  },
  warmUp: (size) => ({ ...size, texts: Math.min(2, size.texts) }),

  expected({ texts, questions }) {
    const read = texts.reduce((total, { length }) => total + length, 0);
    const asked = texts.length * questions.length * suffixTokens;
    return {
      scores: exactly(texts.length * questions.length),
      evaluatedTokens: evaluated(read + asked, questions.length * read + asked),
    };
  },
  metrics: ({ texts }, result) => ({
    'texts-per-second': { value: texts.length / result.seconds, unit: 'texts/s' },
    ...evaluationMetrics(result),
  }),
};
