// What the pipeline of files costs: rows read from a file and written to another, beside requests of the same shape that are
// in memory already. The texts differ, so that no cache knows them.
import { exactly } from '../frame/agreement.mjs';

export default {
  name: 'batch-rows',
  isQuick: false,
  operation: 'rows',
  sizes: [{ rows: 1000, textTokens: 64, choices: 4, choiceTokens: 6 }],
  quickSizes: [{ rows: 16, textTokens: 32, choices: 2, choiceTokens: 3 }],

  workload({ rows, textTokens, choices, choiceTokens }, tokens) {
    const makeChoices = () => Array.from({ length: choices }, () => tokens(choiceTokens));
    const make = () => Array.from({ length: rows }, () => ({ text: tokens(textTokens), choices: makeChoices() }));
    return { operation: 'rows', filed: make(), remembered: make() };
  },
  warmUp: (size) => ({ ...size, rows: Math.min(4, size.rows) }),

  expected: ({ filed }) => ({
    rows: exactly(filed.length),
    scores: exactly(2 * filed.length * filed[0].choices.length),
  }),
  metrics: ({ filed }, { fileSeconds, memorySeconds }) => ({
    'rows-per-second': { value: filed.length / fileSeconds, unit: 'rows/s' },
    'rows-per-second-from-memory': { value: filed.length / memorySeconds, unit: 'rows/s' },
    'pipeline-cost': { value: fileSeconds / memorySeconds - 1, unit: '' },
  }),
};
