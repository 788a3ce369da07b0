// node-llama-cpp as its documentation shows it; for a turn, the better of its two plain ways.
import { openNodeLlamaCpp } from './node-llama-cpp-session.mjs';

export default {
  name: 'node-llama-cpp',
  isQuick: true,
  operations: ['generate', 'turn', 'score', 'choose', 'serve'],
  missing: () => undefined,
  configurations: ({ operation, sharesPrefix }) =>
    operation === 'turn' || sharesPrefix ? ['parallel', 'one sequence'] : ['parallel'],
  open: openNodeLlamaCpp,
};
