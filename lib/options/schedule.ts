import type { NativeRequest } from '../native.js';
import { resolveAdapters } from './adapters.js';
import type { AdapterOptions } from './adapters.js';
import { checkFilledText, checkInteger, checkNumber, invalid, withDefault } from './checks.js';

/** When a request runs, how long it may take, and with which adapters. */
export interface ScheduleOptions extends AdapterOptions {
  /**
   * Milliseconds from its submission, in the queue and running; then it fails with `ERR_TIMEOUT`, after the events of
   * what it got done. @default none
   */
  timeoutMs?: number;
  /**
   * Higher goes first, also against what is running where the cache has no room for both: −1,000 to 1,000. It grows by
   * 1 for every minute of waiting, so that nobody starves. @default 0
   */
  priority?: number;
}

export interface NamespaceOptions {
  /**
   * Up to 256 characters. Requests share cached tokens only within a namespace, and namespaces take turns. A prefix's
   * requests have its namespace. @default one that all requests without a namespace share
   */
  namespace?: string;
}

/** @internal */
export type NativeSchedule = Pick<NativeRequest, 'timeoutMs' | 'priority' | 'namespace' | 'adapters'>;

export const scheduleNames = ['timeoutMs', 'priority', 'adapters'] as const;
export const namespaceNames = ['namespace'] as const;

const largest = 2 ** 31 - 1; // What timers count with.
const maxPriority = 1000;
const maxNamespace = 256;

export function resolveSchedule(options: ScheduleOptions & NamespaceOptions): NativeSchedule {
  const adapters = resolveAdapters(options.adapters);
  return {
    ...(adapters && { adapters }),
    timeoutMs: options.timeoutMs === undefined ? 0 : checkInteger('timeoutMs', options.timeoutMs, 1, largest),
    priority: checkNumber(
      'priority',
      withDefault(options.priority, 0),
      `a number from -${maxPriority} to ${maxPriority}`,
      (value) => Math.abs(value) <= maxPriority,
    ),
    namespace: options.namespace === undefined ? '' : resolveNamespace(options.namespace),
  };
}

/** @internal */
export const defaultSchedule: NativeSchedule = resolveSchedule({});

function resolveNamespace(value: unknown): string {
  const text = checkFilledText('namespace', value);
  if (text.length > maxNamespace) throw invalid('namespace', value, `at most ${maxNamespace} characters long`);
  return text;
}
