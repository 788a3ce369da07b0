// What Node costs: the same requests from C++ alone and through the package, token by token, and where the difference goes.
import { expectGeneration } from './common.mjs';

const size = (streams) => ({ streams, promptTokens: 128, maxTokens: 32 });
const seconds = (value) => ({ value, unit: 's' });

export default {
  name: 'node-overhead',
  isQuick: false,
  operation: 'overhead',
  sizes: [size(32), size(1)],
  quickSizes: [{ streams: 4, promptTokens: 32, maxTokens: 8 }],

  workload({ streams, promptTokens, maxTokens }, tokens) {
    return { operation: 'overhead', requests: Array.from({ length: streams }, () => tokens(promptTokens)), maxTokens };
  },
  warmUp: (given) => ({ ...given, streams: Math.min(2, given.streams), maxTokens: 2 }),
  expected: expectGeneration,

  /**
   * total = until the first token + steps + between them. 'in-steps': the engine at work on them; 'outside-steps': the rest,
   * which is requests on their way down, events on their way up, and JavaScript that somebody waits for.
   * 'event-loop-active': how long JavaScript kept a core from the engine's threads, on its own thread.
   */
  metrics: (_, { seconds: total, stepSeconds, steps, submitMs, eventLoopMs, collectionMs }) => ({
    'in-steps': seconds(stepSeconds),
    'outside-steps': seconds(total - stepSeconds),
    steps: { value: steps, unit: '' },
    submit: { value: submitMs, unit: 'ms' },
    ...(eventLoopMs !== undefined && { 'event-loop-active': { value: eventLoopMs, unit: 'ms' } }),
    ...(collectionMs !== undefined && { 'garbage-collection': { value: collectionMs, unit: 'ms' } }),
  }),
};
