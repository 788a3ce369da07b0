// Many requests that begin alike: a system prompt, documents, examples.
import { evaluated, exactly } from '../frame/agreement.mjs';
import { evaluationMetrics, generationMetrics } from './common.mjs';

export default {
  name: 'shared-prefix',
  isQuick: false,
  operation: 'generate',
  sizes: [{ streams: 64, prefixTokens: 1800, promptTokens: 16, maxTokens: 32 }],
  quickSizes: [{ streams: 4, prefixTokens: 256, promptTokens: 16, maxTokens: 8 }],

  workload({ streams, prefixTokens, promptTokens, maxTokens }, tokens) {
    const prefix = tokens(prefixTokens);
    const requests = Array.from({ length: streams }, () => [...prefix, ...tokens(promptTokens)]);
    return { operation: 'generate', requests, maxTokens, prefixTokens };
  },
  warmUp: (size) => ({ ...size, streams: 2, prefixTokens: 32, maxTokens: 2 }),

  expected({ requests, maxTokens, prefixTokens }) {
    const all = requests.reduce((total, { length }) => total + length, 0);
    const shared = prefixTokens + (all - requests.length * prefixTokens);
    return { generatedTokens: exactly(requests.length * maxTokens), evaluatedTokens: evaluated(shared, all) };
  },
  metrics: (_, result) => ({ ...generationMetrics(result), ...evaluationMetrics(result) }),
};
