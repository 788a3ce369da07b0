// The operation 'mixed' on a model of this package: readers, a job, and both at once (scenarios/mixed-load.mjs).
import { Latencies } from './latencies.mjs';

const greedy = (maxTokens) => ({ maxTokens, temperature: 0, ignoreEos: true });

/** `open(options)` loads another engine of the same model: the target is an option of the load. */
export async function runMixedLoad(model, open, { requests, maxTokens, job, targetOfLone }) {
  const lone = await readAlong(model, requests.slice(0, 1), maxTokens);
  const targetMs = targetOfLone * mean(lone.interTokenMs);
  const alone = await readAlong(model, requests, maxTokens);
  const jobAlone = await measureJob(model, job, () => untilRowsOf(model, job));
  const byDefault = await measureJob(model, job, () => readAlong(model, requests, maxTokens));
  const paced = await open({ targetInterTokenMs: targetMs });
  try {
    const withTarget = await measureJob(paced, job, () => readAlong(paced, requests, maxTokens));
    const generatedTokens = alone.tokens + byDefault.tokens + withTarget.tokens;
    return { generatedTokens, targetMs, jobAlone, alone, byDefault, withTarget };
  } finally {
    await paced.close();
  }
}

/** Streams of high priority; `rows` is what the engine evaluated for them. */
async function readAlong(model, requests, maxTokens) {
  const latencies = new Latencies();
  const read = async (prompt, index) => {
    const onToken = latencies.follow(index);
    const generation = model.generate({ prompt, ...greedy(maxTokens), priority: 1, namespace: 'readers' });
    for await (const event of generation) if (event.type === 'token') onToken();
    return generation.result();
  };
  const results = await Promise.all(requests.map(read));
  const tokens = sum(results.map((result) => result.tokens));
  const rows = tokens - results.length + sum(results.map(({ usage }) => usage.evaluatedPromptTokens));
  return { tokens, rows, interTokenMs: latencies.toResult().interTokenMs };
}

/** Keeps the job's requests running while `meanwhile` does; the rows per second that are the job's. */
async function measureJob(model, { requests, maxTokens }, meanwhile) {
  const stop = new AbortController();
  const workers = requests.map((prompt, index) => keepAsking(model, prompt, maxTokens, index, stop.signal));
  await model.generate({ prompt: requests[0].slice(0, 1), ...greedy(1) }).result(); // The job has begun.
  const before = model.stats().evaluatedTokens;
  const start = performance.now();
  const result = await meanwhile();
  const seconds = (performance.now() - start) / 1000;
  const jobRowsPerSecond = (model.stats().evaluatedTokens - before - (result?.rows ?? 0)) / seconds;
  stop.abort();
  await Promise.all(workers);
  return { ...result, jobRowsPerSecond };
}

/** One request after another; a prompt begins elsewhere each time, so that no cache knows it. */
async function keepAsking(model, prompt, maxTokens, index, signal) {
  for (let round = 1; !signal.aborted; round++) {
    const turned = [...prompt.slice(round % prompt.length), ...prompt.slice(0, round % prompt.length)];
    const options = { prompt: turned, ...greedy(maxTokens), namespace: `job ${index}`, signal };
    await model
      .generate(options)
      .result()
      .catch((error) => {
        if (!signal.aborted) throw error;
      });
  }
}

/** Until the job has had each of its requests about once. */
async function untilRowsOf(model, { requests, maxTokens }) {
  const enough = model.stats().evaluatedTokens + sum(requests.map(({ length }) => length + maxTokens - 1));
  while (model.stats().evaluatedTokens < enough) await new Promise((resolve) => setTimeout(resolve, 20));
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => sum(values) / values.length;
