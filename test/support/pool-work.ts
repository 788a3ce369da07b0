// What pools run in the tests.
import { setTimeout as delay } from 'node:timers/promises';
import type { PoolContext } from '../../lib/pool/index.js';

export interface Asked {
  prompt: string;
  /** The worker thread ends instead. */
  dies?: boolean;
}

export async function answer({ prompt, dies }: Asked, { model, signal }: PoolContext): Promise<string> {
  if (dies) {
    void model.generate({ prompt, maxTokens: 200, ignoreEos: true }); // In mid-stream.
    await delay(5);
    process.exit(1);
  }
  return model.generate({ prompt, maxTokens: 8, temperature: 0, ignoreEos: true, signal }).text();
}

export async function describe(item: string, { index, signal }: PoolContext): Promise<string> {
  if (item === 'throw') throw Object.assign(new RangeError('thrown on purpose'), { code: 'ERR_OF_MINE' });
  if (item === 'function') return (() => 1) as unknown as string;
  if (item === 'wait') await delay(60_000, undefined, { signal });
  return `${index}: ${item}`;
}

export const notAFunction = 1;
