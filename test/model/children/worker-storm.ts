// Worker threads that end in the middle of whatever they do: `node worker-storm.js SOURCE COUNT`. Prints what is left.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadModel } from '../../../lib/index.js';
import type { Model } from '../../../lib/index.js';
import { Random } from '../helpers/random.js';
import { until } from '../helpers/until.js';

process.env.GGML_NO_BACKTRACE = '1';
const options = { contextSize: 512, gpuLayers: 0, threads: 1, maxSequences: 64 } as const;
const atOnce = 4;
const longestLifeMs = 300; // Counted from the model's loading: then most die in mid-stream.
const earlyDeath = 4; // One worker in so many counts from its birth and dies while it loads.

async function useModel(source: string, seed: number): Promise<void> {
  const model = await loadModel(source, options);
  parentPort!.postMessage('loaded');
  for (let round = 0; ; round++) {
    const prefix = await model.prefill({ prompt: `Worker ${seed}, round ${round}: the` });
    const answers = prefix.sample({ count: 3, maxTokens: 24, ignoreEos: true, seed });
    for await (const _ of answers);
    await prefix.logLikelihood([' end', ' beginning']);
    if (round % 2) await prefix.close(); // The other prefixes are left to the clean-up.
  }
}

async function runOneWorker(source: string, seed: number, lifeMs: number): Promise<void> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { source, seed } });
  const failure = once(worker, 'error').then(([error]) => Promise.reject(error as Error));
  failure.catch(() => {});
  await Promise.race([once(worker, seed % earlyDeath === 0 ? 'online' : 'message'), failure]);
  setTimeout(() => void worker.terminate(), lifeMs);
  await Promise.race([once(worker, 'exit'), failure]);
}

async function runStorm(model: Model, source: string, count: number): Promise<void> {
  const random = new Random(count);
  let started = 0;
  const runInTurn = async () => {
    while (started < count) await runOneWorker(source, ++started, random.integer(longestLifeMs));
  };
  await Promise.all(Array.from({ length: atOnce }, runInTurn));
  const isClean = () => {
    const { running, waiting, pinnedCells, usedCells, cachedCells } = model.stats();
    return running + waiting + pinnedCells === 0 && usedCells === cachedCells;
  };
  await until(isClean, () => `the requests and prefixes of the workers are gone: ${JSON.stringify(model.stats())}`);
}

async function main(): Promise<void> {
  const [source, count] = [process.argv[2], Number(process.argv[3])];
  const model = await loadModel(source, options); // All workers share its engine.
  await runStorm(model, source, count);
  const text = await model.generate({ prompt: 'Still here', maxTokens: 4, temperature: 0, ignoreEos: true }).result();
  console.log(JSON.stringify({ workers: count, tokensAfterwards: text.tokens, ...model.stats() }));
  await model.close();
}

if (isMainThread) void main();
else void useModel((workerData as { source: string }).source, (workerData as { seed: number }).seed);
