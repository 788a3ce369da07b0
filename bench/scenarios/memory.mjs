// What an engine keeps in memory for many long streams: resident when loaded and behind the run, and its peak.
import { expectGeneration } from './common.mjs';

const size = (streams, promptTokens) => ({ streams, promptTokens, maxTokens: 8 });

export default {
  name: 'memory',
  isQuick: false,
  operation: 'generate',
  readsMemory: true,
  sizes: [size(1, 64), size(16, 512), size(64, 512)],
  quickSizes: [size(2, 64)],

  workload({ streams, promptTokens, maxTokens }, tokens) {
    return { operation: 'generate', requests: Array.from({ length: streams }, () => tokens(promptTokens)), maxTokens };
  },
  warmUp: (given) => ({ ...given, streams: 1, promptTokens: Math.min(16, given.promptTokens), maxTokens: 2 }),
  expected: expectGeneration,
  metrics: () => ({}), // The frame asks the process itself; what a run takes in time is the total.
};
