// All requests at once through this package.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadModel } from '../../dist/index.js';
import { makePrompts, readWorkload, report, requireCounts, timed } from './workload.mjs';

const { file, threads, count, promptTokens, maxTokens, kernels } = readWorkload();
const options = { threads, kernels, contextSize: 2048, cacheTokens: count * (promptTokens + maxTokens), gpuLayers: 0 };
const model = await loadModel(file, options);
try {
  const prompts = makePrompts({ count, length: promptTokens, vocabularySize: model.info.vocabularySize });
  const generate = (prompt) => model.generate({ prompt, maxTokens, temperature: 0, ignoreEos: true }).result();
  await model.generate({ prompt: [1, 2, 3, 4], maxTokens: 2, temperature: 0 }).result(); // Warm-up, as the others do.
  const before = model.stats();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const { seconds, value } = await timed(() => Promise.all(prompts.map(generate)));
  delay.disable();
  requireCounts(
    value.map(({ tokens }) => tokens),
    maxTokens,
  );
  const after = model.stats();
  const steps = after.steps - before.steps;
  const callbacks = after.callbacks - before.callbacks;
  report({ seconds, eventLoopP99Ms: delay.percentile(99) / 1e6 - 1, steps, callbacks });
} finally {
  await model.close();
}
