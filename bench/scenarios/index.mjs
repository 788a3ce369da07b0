import lamdaTurn from './lamda-turn.mjs';
import longPrompt from './long-prompt.mjs';
import manyStreams from './many-streams.mjs';
import scoreLabels from './score-labels.mjs';
import sharedPrefix from './shared-prefix.mjs';
import singleStream from './single-stream.mjs';

/**
 * A scenario: `sizes` and `quickSizes` (parameters that rows carry), `workload(size, tokens, seed)` makes what an engine
 * is given, `warmUp(size)` a small size, `expected(workload)` the counts that must come back, `metrics(workload, result)`
 * the rows beside the total.
 */
export const scenarios = [lamdaTurn, manyStreams, longPrompt, singleStream, sharedPrefix, scoreLabels];
