import { BroadcastChannel, workerData as threadData } from 'node:worker_threads';
import { CancelledError, OptionError } from '../errors.js';
import type { Model } from '../index.js';
import { loadModel } from '../index.js';
import type { PoolContext, PoolFunction } from './index.js';
import type { CancelMessage, ErrorFacts, PoolOutcome, PoolTask, PoolWorkerData } from './messages.js';

// Runs in a worker thread (./index.ts): the user's function on one item. The model is the process's: loading it here
// finds the engine that is open, and no second one.

const data = threadData as PoolWorkerData;

interface Job {
  controller: AbortController;
  running: number;
}
const jobs = new Map<number, Job>();

const channel = new BroadcastChannel(data.channel);
channel.unref();
channel.onmessage = (event) => {
  const { job } = (event as { data: CancelMessage }).data;
  jobs.get(job)?.controller.abort(new CancelledError());
};

let prepared: Promise<{ model: Model; work: PoolFunction<unknown> }> | undefined;

async function prepare(): Promise<{ model: Model; work: PoolFunction<unknown> }> {
  const exported = (await import(data.module)) as Record<string, unknown>;
  const work = exported[data.exportName];
  if (typeof work !== 'function') {
    const message = `${data.module} must export a function named ${data.exportName}`;
    throw new OptionError('ERR_OPTION_VALUE', message, 'export', data.exportName);
  }
  return { model: await loadModel(data.model, data.load), work: work as PoolFunction<unknown> };
}

export default async function runTask({ job, index, item }: PoolTask): Promise<PoolOutcome> {
  const signal = enter(job);
  try {
    const { model, work } = await (prepared ??= prepare());
    const context: PoolContext = { model, index, signal };
    return { value: requirePlain(await work(item, context)) };
  } catch (error) {
    return { error: factsOf(error) };
  } finally {
    leave(job);
  }
}

// A result that can't be copied would end the thread, and the items of others with it.
function requirePlain(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch (error) {
    throw new OptionError(
      'ERR_OPTION_VALUE',
      `The result must be plain data: ${(error as Error).message}`,
      'value',
      value,
    );
  }
}

function enter(id: number): AbortSignal {
  const job = jobs.get(id) ?? { controller: new AbortController(), running: 0 };
  job.running++;
  jobs.set(id, job);
  return job.controller.signal;
}

function leave(id: number): void {
  const job = jobs.get(id)!;
  if (--job.running === 0) jobs.delete(id);
}

function factsOf(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack } = error;
  const { code } = error as { code?: unknown };
  return { name, message, stack, ...(typeof code === 'string' && { code }) };
}
