// One prompt and one token: reading alone.
import { expectGeneration } from './common.mjs';

export default {
  name: 'long-prompt',
  isQuick: true,
  operation: 'generate',
  sizes: [{ promptTokens: 512 }, { promptTokens: 1024 }],
  quickSizes: [{ promptTokens: 256 }],

  workload: ({ promptTokens }, tokens) => ({ operation: 'generate', requests: [tokens(promptTokens)], maxTokens: 1 }),
  warmUp: () => ({ promptTokens: 64 }),
  expected: expectGeneration,
  metrics: ({ requests: [prompt] }, { seconds }) => ({
    'prompt-tokens-per-second': { value: prompt.length / seconds, unit: 'tokens/s' },
  }),
};
