import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  checkBoolean,
  checkFields,
  checkFilledText,
  checkInteger,
  checkNames,
  invalid,
  withDefault,
} from './checks.js';
import type { RequestOptions } from './input.js';
import { resolveSignal } from './input.js';
import type { LoadOptions } from './load.js';
import { resolveLoadOptions } from './load.js';

/** Options of `loadModel()` that every thread can be given: no functions, no signals. */
export type PoolLoadOptions = Omit<LoadOptions, 'log' | 'onProgress' | 'signal'>;

export interface PoolOptions {
  /** As for `loadModel()`: a known name, the path of a GGUF file, or `hf:owner/repository/file.gguf`. */
  model: string;
  /** How it is loaded; the same in every thread, so that all share one engine. */
  load?: PoolLoadOptions;
  /** The module that exports the function: a URL, or a path that is resolved against the working directory. */
  module: string | URL;
  /** Its name there. @default 'default' */
  export?: string;
  /** Worker threads, 1 to 64. @default 2 */
  threads?: number;
  /** Items that one worker works on at the same time, 1 to 1,024. More of them fill the engine's batch. @default 32 */
  concurrency?: number;
}

export interface ResolvedPoolOptions {
  model: string;
  load: PoolLoadOptions;
  module: string;
  exportName: string;
  threads: number;
  concurrency: number;
}

export function resolvePoolOptions(options: PoolOptions): ResolvedPoolOptions {
  const fields = checkFields('options', options);
  checkNames('options', fields, ['model', 'load', 'module', 'export', 'threads', 'concurrency']);
  return {
    model: checkFilledText('model', options.model),
    load: resolvePoolLoad(withDefault(options.load, {})),
    module: resolveModule(options.module),
    exportName: checkFilledText('export', withDefault(options.export, 'default')),
    threads: checkInteger('threads', withDefault(options.threads, 2), 1, 64),
    concurrency: checkInteger('concurrency', withDefault(options.concurrency, 32), 1, 1024),
  };
}

function resolvePoolLoad(load: PoolLoadOptions): PoolLoadOptions {
  const fields = checkFields('load', load);
  for (const name of ['log', 'onProgress', 'signal'] as const)
    if (fields[name] !== undefined)
      throw invalid(`load.${name}`, fields[name], 'left out: it can’t go to other threads');
  resolveLoadOptions(load);
  return load;
}

function resolveModule(module: unknown): string {
  if (module instanceof URL) return module.href;
  const text = checkFilledText('module', module);
  return text.startsWith('file:') ? text : pathToFileURL(path.resolve(text)).href;
}

export interface MapOptions extends RequestOptions {
  /** Results in the order of the items; false = as they come. @default true */
  ordered?: boolean;
}

export function resolveMapOptions(options: MapOptions = {}): { ordered: boolean; signal?: AbortSignal } {
  checkNames('options', checkFields('options', options), ['ordered', 'signal']);
  return {
    ordered: checkBoolean('ordered', withDefault(options.ordered, true)),
    signal: resolveSignal(options.signal),
  };
}
