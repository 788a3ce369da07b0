import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { mapGrouped } from '../../lib/batch/window.js';
import type { Placed, RowWork, WindowOptions } from '../../lib/batch/window.js';
import { collect } from '../support/open-fake.js';

interface Row extends Placed {
  name: string;
}

const options: WindowOptions = {
  rows: 100,
  size: 100_000,
  flightSize: 100,
  minFlight: 2,
  maxFlight: 8,
  ordered: false,
};

const row = (key: string, name: string, contextSize = 40): Row => ({ key, name, contextSize, askedSize: 10 });

async function* from(rows: Row[], state = { read: 0, isClosed: false }) {
  try {
    for (const row of rows) {
      state.read++;
      yield row;
    }
  } finally {
    state.isClosed = true;
  }
}

/** Work on rows that share nothing. */
const alone = <Result>(run: RowWork<Row, Result, string>['run']): RowWork<Row, Result, string> => ({
  open: async () => undefined,
  run,
  close: () => {},
});

/** Work that takes a moment, and what happened in it. */
function recorder() {
  const started: string[] = [];
  const ended: string[] = [];
  const shared: string[] = [];
  let running = 0;
  let most = 0;
  const open = async ({ key }: Row) => {
    started.push(`open ${key}`);
    await delay(2);
    ended.push(`open ${key}`);
    return key;
  };
  const close = (key: string) => ended.push(`close ${key}`);
  const run = async ({ name }: Row, _: AbortSignal, key: string | undefined) => {
    shared.push(`${name} on ${key}`);
    started.push(name);
    most = Math.max(most, ++running);
    await delay(2);
    running--;
    ended.push(name);
    return name;
  };
  return { started, ended, shared, work: { open, run, close }, most: () => most };
}

test('the context of several rows is opened first; they follow, before other contexts, and it is closed', async (t) => {
  const { started, ended, shared, work } = recorder();
  const rows = [row('a', 'a1'), row('b', 'b1'), row('c', 'c1'), row('a', 'a2'), row('b', 'b2'), row('a', 'a3')];
  const names = await collect(mapGrouped(from(rows), work, { ...options, maxFlight: 2 }));
  t.deepEqual(names.toSorted(), ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']);
  t.deepEqual(started.slice(0, 2), ['open a', 'open b']);
  t.true(ended.indexOf('open a') < started.indexOf('a1'));
  t.true(started.indexOf('c1') > started.indexOf('b2'));
  t.deepEqual(shared.toSorted(), ['a1 on a', 'a2 on a', 'a3 on a', 'b1 on b', 'b2 on b', 'c1 on undefined']);
  t.deepEqual(ended.filter((name) => name.startsWith('close')).toSorted(), ['close a', 'close b']);
  t.true(ended.indexOf('close a') > Math.max(...['a1', 'a2', 'a3'].map((name) => ended.indexOf(name))));
});

test('a context that is left open is closed when the loop is left', async (t) => {
  const { ended, work } = recorder();
  const results = mapGrouped(from(Array.from({ length: 50 }, (_, i) => row('a', `${i}`))), work, options);
  await results.next();
  await results.return();
  t.is(ended.filter((name) => name === 'close a').length, 1);
});

test('as many rows are in flight as their sizes allow: a context counts once', async (t) => {
  const long = recorder();
  await collect(mapGrouped(from(Array.from({ length: 20 }, (_, i) => row(`${i}`, `${i}`, 1000))), long.work, options));
  t.is(long.most(), options.minFlight);
  const short = recorder();
  await collect(mapGrouped(from(Array.from({ length: 40 }, (_, i) => row(`${i}`, `${i}`, 1))), short.work, options));
  t.is(short.most(), options.maxFlight);
  const shared = recorder();
  await collect(mapGrouped(from(Array.from({ length: 40 }, (_, i) => row('k', `${i}`, 1000))), shared.work, options));
  t.is(shared.most(), options.maxFlight);
});

test('results come in the order of the rows where that is wanted', async (t) => {
  const rows = Array.from({ length: 60 }, (_, i) => row(`${i % 7}`, `${i}`));
  const { work } = recorder();
  const names = await collect(mapGrouped(from(rows), work, { ...options, ordered: true }));
  t.deepEqual(
    names,
    rows.map(({ name }) => name),
  );
});

test('the source is read no further than the window ahead of the results that were taken', async (t) => {
  const state = { read: 0, isClosed: false };
  const rows = Array.from({ length: 1000 }, (_, i) => row(`${i}`, `${i}`));
  const { work, ended } = recorder();
  const results = mapGrouped(from(rows, state), work, { ...options, rows: 10 });
  for (let i = 0; i < 5; i++) await results.next();
  await delay(50);
  t.true(state.read <= 25, `${state.read} were read`);
  t.true(ended.length >= 15, 'what was read is worked on meanwhile');
  await results.return();
  await delay(1);
  t.true(state.isClosed);
});

test('characters bound what is read ahead, too', async (t) => {
  const state = { read: 0, isClosed: false };
  const rows = Array.from({ length: 100 }, (_, i) => row(`${i}`, `${i}`, 1000));
  const results = mapGrouped(from(rows, state), recorder().work, { ...options, size: 5000 });
  await results.next();
  await delay(20);
  t.true(state.read <= 7, `${state.read} were read`);
  await results.return();
});

test('a slow source does not keep the rows at hand waiting', async (t) => {
  async function* slow() {
    yield row('a', 'a');
    await delay(60_000, undefined, { ref: false });
  }
  const results = mapGrouped(slow(), recorder().work, options);
  t.is((await results.next()).value, 'a');
  void results.return();
});

test('errors of source, work and signal are thrown, and running work is told', async (t) => {
  async function* broken() {
    yield row('a', 'a');
    throw new Error('source');
  }
  await t.throwsAsync(collect(mapGrouped(broken(), recorder().work, options)), { message: 'source' });
  let told: AbortSignal | undefined;
  const fail = async ({ name }: Row, signal: AbortSignal) => {
    if (name === 'b') throw new Error('work');
    told = signal;
    await delay(20);
  };
  await t.throwsAsync(collect(mapGrouped(from([row('a', 'a'), row('b', 'b')]), alone(fail), options)), {
    message: 'work',
  });
  t.true(told?.aborted);
  const controller = new AbortController();
  const stopped = collect(
    mapGrouped(
      from([row('a', 'a')]),
      alone(() => delay(1000)),
      { ...options, signal: controller.signal },
    ),
  );
  controller.abort(new Error('signal'));
  await t.throwsAsync(stopped, { message: 'signal' });
});
