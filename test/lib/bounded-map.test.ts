import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { mapBounded } from '../../lib/bounded-map.js';
import { collect } from '../support/open-fake.js';

/** Numbers, how many were read, and whether the source was closed. */
function numbers(count: number) {
  const state = { read: 0, isClosed: false };
  async function* source() {
    try {
      for (let i = 0; i < count; i++) {
        state.read++;
        yield i;
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, source: source() };
}

/** Work whose results come when the test says so. */
function manualWork() {
  const settle = new Map<number, { resolve(): void; reject(error: Error): void }>();
  const signals: AbortSignal[] = [];
  const work = (item: number, _: number, signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<string>((resolve, reject) => settle.set(item, { resolve: () => resolve(`${item}`), reject }));
  };
  return { work, settle, signals };
}

const double = async (item: number) => 2 * item;

test('every item has its result, in order or as they come', async (t) => {
  const work = async (item: number) => {
    await delay(item === 0 ? 30 : 1);
    return item;
  };
  t.deepEqual(await collect(mapBounded([0, 1, 2], work, { limit: 3, ordered: true })), [0, 1, 2]);
  t.is((await collect(mapBounded([0, 1, 2], work, { limit: 3, ordered: false }))).at(-1), 0);
  t.deepEqual(await collect(mapBounded(numbers(50).source, double, { limit: 4, ordered: true })), [
    ...Array.from({ length: 50 }, (_, i) => 2 * i),
  ]);
  t.deepEqual(await collect(mapBounded([], double, { limit: 4, ordered: true })), []);
});

test('the source is read no further than `limit` ahead of the results that were taken', async (t) => {
  const { state, source } = numbers(100);
  const results = mapBounded(source, double, { limit: 5, ordered: false });
  await results.next();
  await delay(5);
  t.true(state.read <= 6, `${state.read} were read`);
  await results.return();
  t.true(state.isClosed);
});

test('leaving the loop tells the running work and closes the source', async (t) => {
  const { state, source } = numbers(100);
  const { work, settle, signals } = manualWork();
  const results = mapBounded(source, work, { limit: 3, ordered: false });
  const first = results.next();
  await delay(1);
  settle.get(0)!.resolve();
  await first;
  t.false(signals[1].aborted);
  await results.return();
  await delay(1);
  t.true(signals[1].aborted);
  t.true(state.isClosed);
});

test('the errors of the source, of the work and of the signal are thrown', async (t) => {
  async function* broken() {
    yield 1;
    throw new Error('source');
  }
  await t.throwsAsync(collect(mapBounded(broken(), double, { limit: 1, ordered: true })), { message: 'source' });
  const fail = async () => Promise.reject(new Error('work'));
  await t.throwsAsync(collect(mapBounded([1], fail, { limit: 1, ordered: true })), { message: 'work' });
  const controller = new AbortController();
  const { work } = manualWork();
  const stopped = collect(mapBounded([1, 2], work, { limit: 2, ordered: true, signal: controller.signal }));
  controller.abort(new Error('signal'));
  await t.throwsAsync(stopped, { message: 'signal' });
  const late = collect(mapBounded([1], double, { limit: 1, ordered: true, signal: controller.signal }));
  await t.throwsAsync(late, { message: 'signal' });
});
