// Self-consistency (arXiv 2203.11171): many reasoning paths behind one prompt of worked examples and a question. All paths
// run to their end, and draw the likeliest token: what an engine shares and how it batches is compared, not its dice.
import { evaluated, exactly } from '../frame/agreement.mjs';
import { evaluationMetrics, generationMetrics } from './common.mjs';

export default {
  name: 'self-consistency',
  isQuick: false,
  operation: 'generate',
  sizes: [{ paths: 40, examplesTokens: 800, questionTokens: 64, maxTokens: 96 }],
  quickSizes: [{ paths: 4, examplesTokens: 128, questionTokens: 16, maxTokens: 8 }],

  workload({ paths, examplesTokens, questionTokens, maxTokens }, tokens) {
    const prompt = [...tokens(examplesTokens), ...tokens(questionTokens)];
    const requests = Array.from({ length: paths }, () => prompt);
    return { operation: 'generate', requests, maxTokens, prefixTokens: prompt.length - 1 };
  },
  warmUp: (size) => ({ ...size, paths: 2, examplesTokens: 32, maxTokens: 2 }),

  /** The whole prompt once, or once per path. */
  expected({ requests, maxTokens }) {
    const [{ length }] = requests;
    return {
      generatedTokens: exactly(requests.length * maxTokens),
      evaluatedTokens: evaluated(length, requests.length * length),
    };
  },
  metrics: ({ requests }, result) => ({
    'paths-per-second': { value: requests.length / result.seconds, unit: 'paths/s' },
    ...generationMetrics(result),
    ...evaluationMetrics(result),
  }),
};
