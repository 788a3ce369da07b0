import batchRows from './batch-rows.mjs';
import earlyRejection from './early-rejection.mjs';
import lamdaTurn from './lamda-turn.mjs';
import longPrompt from './long-prompt.mjs';
import manyStreams from './many-streams.mjs';
import memory from './memory.mjs';
import mixedLoad from './mixed-load.mjs';
import nodeOverhead from './node-overhead.mjs';
import openLoop from './open-loop.mjs';
import scoreContinuations from './score-continuations.mjs';
import scoreLabels from './score-labels.mjs';
import selfConsistency from './self-consistency.mjs';
import sharedPrefix from './shared-prefix.mjs';
import singleStream from './single-stream.mjs';
import sparrowTree from './sparrow-tree.mjs';

/**
 * A scenario: `sizes` and `quickSizes` (parameters that rows carry), `workload(size, tokens, seed, random)` makes what
 * an engine is given, `warmUp(size)` a small size, `expected(workload)` the counts that must come back, `metrics(workload,
 * result)` the rows beside the total. `readsMemory`: with rows of what the process keeps in memory.
 */
export const scenarios = [
  lamdaTurn,
  manyStreams,
  longPrompt,
  singleStream,
  sharedPrefix,
  scoreLabels,
  scoreContinuations,
  sparrowTree,
  selfConsistency,
  earlyRejection,
  openLoop,
  mixedLoad,
  memory,
  nodeOverhead,
  batchRows,
];
