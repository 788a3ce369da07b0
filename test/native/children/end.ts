// Ends in the way that its argument names, with an engine open.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { openNative } from '../open-native.js';

const path = 'fake-children-delay-1';
const endless = { prompt: 'x', maxTokens: 900, ignoreEos: true } as const;

async function stream(onToken: () => void): Promise<void> {
  const model = await openNative(path);
  for await (const _ of model.generate(endless)) onToken();
}

async function terminateWorkers(): Promise<void> {
  const model = await openNative(path); // The same engine.
  for (let i = 0; i < 16; i++) {
    const worker = new Worker(fileURLToPath(import.meta.url));
    await once(worker, 'message'); // It streams.
    await worker.terminate();
  }
  const { text } = await model.generate({ ...endless, maxTokens: 5 }).result();
  const { running, submittedRequests } = model.stats();
  if (text && running === 0 && submittedRequests === 17) console.log('the engine goes on');
}

async function main(way: string | undefined): Promise<void> {
  if (way === 'workers') return terminateWorkers();
  if (way === 'exit') return stream(() => process.exit(0));
  const model = await openNative(path);
  if (way !== 'request') return;
  console.log((await model.generate({ ...endless, maxTokens: 20 }).result()).tokens, 'tokens');
}

if (isMainThread) void main(process.argv[2]);
else void stream(() => parentPort!.postMessage('streaming'));
