// What goes between the pool and its workers.
import type { PoolLoadOptions } from '../options.js';

/** Once, with the worker's start. */
export interface PoolWorkerData {
  model: string;
  load: PoolLoadOptions;
  module: string;
  exportName: string;
  /** Name of the BroadcastChannel that tells which jobs nobody wants any more. */
  channel: string;
}

export interface PoolTask {
  /** Tasks of one `map()` or `run()`. */
  job: number;
  index: number;
  item: unknown;
}

/** Failures come back as values: an error's class does not survive the way between threads. */
export type PoolOutcome = { value: unknown } | { error: ErrorFacts };

export interface ErrorFacts {
  name: string;
  message: string;
  stack?: string;
  code?: string;
}

export interface CancelMessage {
  job: number;
}
