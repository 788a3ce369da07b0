import ikLlama from './ik-llama.mjs';
import llamaCppPython from './llama-cpp-python.mjs';
import llamaServer from './llama-server.mjs';
import nodeLlamaCppSavedState from './node-llama-cpp-saved-state.mjs';
import nodeLlamaCpp from './node-llama-cpp.mjs';
import openvinoGenai from './openvino-genai.mjs';
import transformers from './transformers.mjs';
import winnowCpp from './winnow-cpp.mjs';
import winnowGgml from './winnow-ggml.mjs';
import winnow from './winnow.mjs';

/**
 * A contender: `operations` that it can do, `missing()` says why it can't run, `configurations(work)` names the ways to
 * run it among which the fastest is chosen, `refuses(workload)` says why it is left out of a case, `open(setup)` gives a session (in the contender's own process), or `program`
 * names a program that speaks the same protocol (frame/contender-process.mjs).
 */
export const contenders = [
  winnow,
  winnowGgml,
  winnowCpp,
  nodeLlamaCpp,
  nodeLlamaCppSavedState,
  llamaServer,
  openvinoGenai,
  llamaCppPython,
  transformers,
  ikLlama,
];
