// What scenarios of one operation share.
import { evaluated, exactly } from '../frame/agreement.mjs';
import { median, percentile } from '../statistics.mjs';

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** What a run of the operation 'generate' must have counted. */
export function expectGeneration({ requests, maxTokens }) {
  return {
    generatedTokens: exactly(requests.length * maxTokens),
    evaluatedTokens: evaluated(sum(requests.map(({ length }) => length))),
  };
}

/** Rows of every scenario that generates. */
export function generationMetrics(result) {
  const value = result.generatedTokens / result.seconds;
  return { 'generated-tokens-per-second': { value, unit: 'tokens/s' }, ...latencyMetrics(result) };
}

/**
 * `firstTokenMs`: of each request; `interTokenMs`: between a request's tokens, all requests' together. Null where an engine
 * does not tell.
 */
function latencyMetrics({ firstTokenMs, interTokenMs }) {
  const ms = (value) => ({ value, unit: 'ms' });
  return {
    ...(firstTokenMs && { 'time-to-first-token': ms(median(firstTokenMs)) }),
    ...(firstTokenMs?.length > 1 && { 'time-to-first-token-p99': ms(percentile(firstTokenMs, 0.99)) }),
    ...(interTokenMs && {
      'inter-token-latency-p50': ms(percentile(interTokenMs, 0.5)),
      'inter-token-latency-p99': ms(percentile(interTokenMs, 0.99)),
    }),
  };
}

/** Engines differ in what they evaluate, so it is a row of its own. */
export function evaluationMetrics({ evaluatedTokens }) {
  return evaluatedTokens === null ? {} : { 'evaluated-tokens': { value: evaluatedTokens, unit: 'tokens' } };
}
