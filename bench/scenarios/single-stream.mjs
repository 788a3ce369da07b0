// One request, mostly decode: what a chat with one user feels.
import { expectGeneration, generationMetrics } from './common.mjs';

export default {
  name: 'single-stream',
  isQuick: true,
  operation: 'generate',
  sizes: [{ promptTokens: 16, maxTokens: 128 }],
  quickSizes: [{ promptTokens: 16, maxTokens: 32 }],

  workload: ({ promptTokens, maxTokens }, tokens) => ({
    operation: 'generate',
    requests: [tokens(promptTokens)],
    maxTokens,
    streams: true, // Every token is wanted as soon as it is drawn.
  }),
  warmUp: (size) => ({ ...size, maxTokens: 2 }),
  expected: expectGeneration,
  metrics: (_, result) => ({ ...generationMetrics(result), ...decodeRate(result) }),
};

/** Tokens after the first, over the time after the first; engines that don't tell when that was have no such row. */
function decodeRate({ seconds, generatedTokens, firstTokenMs }) {
  if (!firstTokenMs) return {};
  const value = (generatedTokens - 1) / (seconds - firstTokenMs[0] / 1000);
  return { 'decode-tokens-per-second': { value, unit: 'tokens/s' } };
}
