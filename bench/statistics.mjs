import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { root } from '../scripts/lib/paths.mjs';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The least value that `share` of the values do not exceed (nearest rank). */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)];
}

export const spread = (values) => `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;

export const machine = () =>
  `${os.cpus()[0]?.model.trim()}, ${os.availableParallelism()} cores, Node ${process.version}`;

/** Tells processors apart that a virtual machine gives one name: with family and model where Linux tells them. */
export function processor() {
  const name = os.cpus()[0]?.model.trim() ?? 'unknown';
  try {
    const facts = readFileSync('/proc/cpuinfo', 'utf8');
    const read = (key) => facts.match(new RegExp(`^${key}\\s*: (\\d+)`, 'm'))?.[1];
    const [family, model] = [read('cpu family'), read('model')];
    return family ? `${name}, family ${family}, model ${model}` : name;
  } catch {
    return name;
  }
}

/** Of the sources measured; with '+' where they were changed since. 'unknown' outside a checkout. */
export function commit() {
  const git = (...args) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    return git('rev-parse', '--short', 'HEAD').trim() + (git('status', '--porcelain', '-uno').trim() ? '+' : '');
  } catch {
    return 'unknown';
  }
}
