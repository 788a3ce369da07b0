// Requests that come when they come, whether or not the engine is done with those before: a server's day. Arrivals are a
// Poisson process; goodput counts the requests that kept to the latency target (as DistServe does, arXiv 2401.09670,
// section 2: time to first token, and time per token after it). Latencies count from the scheduled arrival.
import { expectGeneration, generationMetrics } from './common.mjs';

const target = { firstTokenMs: 1000, tokenMs: 100 };
const size = (requestsPerMinute) => ({ requestsPerMinute, requests: 48, promptTokens: 128, maxTokens: 32 });

export default {
  name: 'open-loop',
  isQuick: false,
  operation: 'serve',
  sizes: [size(60), size(30), size(120), size(240)],
  quickSizes: [{ requestsPerMinute: 120, requests: 8, promptTokens: 32, maxTokens: 8 }],

  workload({ requestsPerMinute, requests, promptTokens, maxTokens }, tokens, seed, random) {
    const prompts = Array.from({ length: requests }, () => tokens(promptTokens));
    const arrivalMs = poissonArrivals(requests, 60_000 / requestsPerMinute, random);
    return { operation: 'serve', requests: prompts, arrivalMs, maxTokens, streams: true };
  },
  warmUp: (given) => ({ ...given, requestsPerMinute: 6000, requests: Math.min(2, given.requests), maxTokens: 2 }),
  expected: expectGeneration,
  metrics: (workload, result) => ({ ...generationMetrics(result), ...goodput(workload, result) }),
};

/** Milliseconds from the start; gaps are exponentially distributed with this mean. The first request comes at once. */
function poissonArrivals(count, meanGapMs, random) {
  let now = 0;
  return Array.from({ length: count }, (_, index) => (now += index === 0 ? 0 : -Math.log(1 - random()) * meanGapMs));
}

function goodput({ requests, maxTokens }, { seconds, firstTokenMs, finishMs }) {
  const keeps = requests.filter((_, index) => {
    const perToken = (finishMs[index] - firstTokenMs[index]) / (maxTokens - 1);
    return firstTokenMs[index] <= target.firstTokenMs && perToken <= target.tokenMs;
  });
  return {
    'within-target': { value: keeps.length / requests.length, unit: '' },
    goodput: { value: keeps.length / seconds, unit: 'requests/s' },
  };
}
