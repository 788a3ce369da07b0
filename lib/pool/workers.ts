import { BroadcastChannel } from 'node:worker_threads';
import type { ResolvedPoolOptions } from '../options.js';
import type { CancelMessage, PoolOutcome, PoolTask, PoolWorkerData } from './messages.js';

/** The worker threads of one pool, without what their tasks mean. */
export interface Workers {
  /** Rejects where the worker ended, or where something can't be copied between threads. */
  run(task: PoolTask): Promise<PoolOutcome>;
  /** Tells the tasks of a job that nobody wants their results. */
  cancel(job: number): void;
  /** What runs is dropped. Twice is fine. */
  end(): Promise<void>;
}

let pools = 0;

export async function startWorkers({ threads, concurrency, ...data }: ResolvedPoolOptions): Promise<Workers> {
  const { Piscina } = await import('piscina');
  const name = `winnow:pool:${process.pid}:${++pools}`;
  const workerData: PoolWorkerData = { ...data, channel: name };
  const piscina = new Piscina({
    filename: new URL('./entry.cjs', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: concurrency,
    idleTimeout: Infinity,
    atomics: 'disabled', // An idle worker would sleep in Atomics.wait() and hear nothing of its engine.
    workerData,
  });
  piscina.on('error', () => {}); // A worker that died with nothing to do: its successor has started.
  const channel = new BroadcastChannel(name);
  channel.unref();
  return {
    run: (task) => piscina.run(task) as Promise<PoolOutcome>,
    cancel: (job) => channel.postMessage({ job } satisfies CancelMessage),
    end: async () => {
      await piscina.destroy();
      channel.close();
    },
  };
}
