// What scenarios of one operation share.
import { evaluated, exactly } from '../frame/agreement.mjs';
import { median } from '../statistics.mjs';

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** What a run of the operation 'generate' must have counted. */
export function expectGeneration({ requests, maxTokens }) {
  return {
    generatedTokens: exactly(requests.length * maxTokens),
    evaluatedTokens: evaluated(sum(requests.map(({ length }) => length))),
  };
}

/** Rows of every scenario that generates; `firstTokenMs` is null where an engine doesn't tell. */
export function generationMetrics({ seconds, generatedTokens, firstTokenMs }) {
  const rate = { 'generated-tokens-per-second': { value: generatedTokens / seconds, unit: 'tokens/s' } };
  if (!firstTokenMs) return rate;
  return { ...rate, 'time-to-first-token': { value: median(firstTokenMs), unit: 'ms' } };
}

/** Engines differ in what they evaluate, so it is a row of its own. */
export function evaluationMetrics({ evaluatedTokens }) {
  return evaluatedTokens === null ? {} : { 'evaluated-tokens': { value: evaluatedTokens, unit: 'tokens' } };
}
