// All requests at once through node-llama-cpp: one context with a sequence for each, its own batching.
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { makePrompts, readWorkload, report, requireCounts, timed } from './workload.mjs';

const { file, threads, count, promptTokens, maxTokens } = readWorkload();
const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: threads });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({
  sequences: count,
  contextSize: promptTokens + maxTokens,
  batchSize: 512,
  threads: { ideal: threads, min: threads },
  flashAttention: true,
});

async function generate(prompt) {
  const sequence = context.getSequence();
  const tokens = sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true });
  let count = 0;
  while (count < maxTokens && !(await tokens.next()).done) count++;
  await tokens.return();
  sequence.dispose();
  return count;
}

const prompts = makePrompts({
  count,
  length: promptTokens,
  vocabularySize: model.fileInfo.metadata.tokenizer.ggml.tokens.length,
});
const warm = context.getSequence();
await warm.evaluateWithoutGeneratingNewTokens([1, 2, 3, 4]);
warm.dispose();
const { seconds, value } = await timed(() => Promise.all(prompts.map(generate)));
requireCounts(value, maxTokens);
report({ seconds });
await llama.dispose();
