// When tokens arrive, for contenders in JavaScript. All times in milliseconds.
import { setTimeout as sleep } from 'node:timers/promises';

export class Latencies {
  #start = performance.now();
  #firstTokenMs = [];
  #interTokenMs = [];
  #finishMs = [];

  /** For one request: what it returns is called with each token. `sinceMs`: when the request was due, from the start. */
  follow(index, sinceMs = 0) {
    let last;
    return () => {
      const now = performance.now() - this.#start;
      if (last === undefined) this.#firstTokenMs[index] = now - sinceMs;
      else this.#interTokenMs.push(now - last);
      this.#finishMs[index] = now - sinceMs;
      last = now;
    };
  }

  /** Returns when that much of the run has passed. */
  async waitUntil(ms) {
    const left = ms - (performance.now() - this.#start);
    if (left > 0) await sleep(left);
  }

  /** What a run reports of them; null where no request had two tokens. */
  toResult() {
    const interTokenMs = this.#interTokenMs.length > 0 ? this.#interTokenMs : null;
    return { firstTokenMs: this.#firstTokenMs, interTokenMs, finishMs: this.#finishMs };
  }
}
