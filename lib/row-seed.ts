import { hash } from 'node:crypto';

/** A seed of its own for every row of a job, 48 bits: the same in every run of it, and whatever else runs. */
export function rowSeed(seed: number, key: string | number): number {
  return hash('sha256', `${seed} ${JSON.stringify(key)}`, 'buffer').readUIntBE(0, 6);
}
