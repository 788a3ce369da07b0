// Different requests at once: nothing to share but the weights.
import { expectGeneration, generationMetrics } from './common.mjs';

const size = (streams) => ({ streams, promptTokens: 128, maxTokens: 32 });

export default {
  name: 'many-streams',
  isQuick: true,
  operation: 'generate',
  sizes: [size(32), size(1), size(8), size(128)],
  quickSizes: [{ streams: 8, promptTokens: 64, maxTokens: 16 }],

  workload({ streams, promptTokens, maxTokens }, tokens) {
    const requests = Array.from({ length: streams }, () => tokens(promptTokens));
    return { operation: 'generate', requests, maxTokens };
  },
  warmUp: (given) => ({ ...given, streams: Math.min(2, given.streams), maxTokens: 2 }),
  expected: expectGeneration,
  metrics: (_, result) => generationMetrics(result),
};
