// node bench/beside-busy-thread.mjs [--threads 2] [--rounds 5]
//
// Decode alone, and beside a JavaScript thread that computes all the time, interleaved. A thread pool whose barriers
// collapse shows here: the second figure must keep at least 40 % of the first.
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { loadModel } from '../dist/index.js';
import { machine, median, spread } from './statistics.mjs';
import { defaultModelFile } from './model-file.mjs';

const { values } = parseArgs({
  options: { threads: { type: 'string', default: '2' }, rounds: { type: 'string', default: '5' } },
});
const leastShare = 0.4;
const maxTokens = 64;
const recoveryMs = 2500;

const busy = `
  const { workerData } = require('node:worker_threads');
  let x = 1;
  while (Atomics.load(workerData, 0) === 0) for (let i = 0; i < 1e6; i++) x = Math.imul(x, 48271) + i;
`;

async function besideBusyThread(action) {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(busy, { eval: true, workerData: stop });
  await new Promise((resolve) => worker.once('online', resolve));
  try {
    return await action();
  } finally {
    Atomics.store(stop, 0, 1);
    await new Promise((resolve) => worker.once('exit', resolve));
  }
}

async function measureDecode(model) {
  const { timings } = await model
    .generate({ prompt: 'The river', maxTokens, temperature: 0, ignoreEos: true })
    .result();
  return (maxTokens - 1) / ((timings.totalMs - timings.firstTokenMs) / 1000);
}

// The engine has lent a core to the busy thread and tries all of its threads again every second or two.
async function recover(model) {
  for (const start = performance.now(); performance.now() - start < recoveryMs;) await measureDecode(model);
}

const model = await loadModel(await defaultModelFile(), { threads: Number(values.threads), gpuLayers: 0 });
try {
  const alone = [];
  const beside = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    await recover(model);
    alone.push(await measureDecode(model));
    beside.push(await besideBusyThread(() => measureDecode(model)));
  }
  const share = median(beside) / median(alone);
  console.log(`Decode, tokens/s, ${values.threads} threads, on ${machine()}`);
  console.log(`  alone                       ${median(alone).toFixed(1)} (${spread(alone)})`);
  console.log(
    `  beside a busy thread        ${median(beside).toFixed(1)} (${spread(beside)}): ${(100 * share).toFixed(0)} %`,
  );
  console.log(JSON.stringify({ alone, beside, share, passes: share >= leastShare }));
  process.exitCode = share >= leastShare ? 0 : 1;
} finally {
  await model.close();
}
