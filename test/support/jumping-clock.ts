// Preloaded (node --import): clocks that jump an hour ahead and an hour back, all the time. Timers go on as they are.
import { performance } from 'node:perf_hooks';

const hourMs = 3_600_000;
const everyMs = 40;
const RealDate = Date;
const now = performance.now.bind(performance);
const shift = () => (Math.floor(now() / everyMs) % 2 === 0 ? 0 : hourMs);

performance.now = () => now() + shift();
globalThis.Date = class extends RealDate {
  constructor(...args: []) {
    super(...((args.length > 0 ? args : [RealDate.now() + shift()]) as []));
  }
  static override now(): number {
    return RealDate.now() + shift();
  }
} as DateConstructor;
