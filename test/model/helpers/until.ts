import { setImmediate } from 'node:timers/promises';

const patienceMs = 10_000;

/** Waits for what the engine's thread does by itself, such as letting cells go; rejects when it doesn't come. */
export async function until(isSo: () => boolean, what: string | (() => string)): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!isSo()) {
    if (performance.now() > deadline)
      throw new Error(`waited in vain until ${typeof what === 'string' ? what : what()}`);
    await setImmediate();
  }
}
