import test from 'ava';
import { EventQueue } from '../../lib/event-queue.js';

test('events are read in the order in which they were pushed', async (t) => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.push(2);
  t.deepEqual(await queue.read(), { done: false, value: 1 });
  t.deepEqual(await queue.read(), { done: false, value: 2 });
});

test('a reader that comes first gets the event that comes later', async (t) => {
  const queue = new EventQueue<number>();
  const reading = queue.read();
  queue.push(7);
  t.deepEqual(await reading, { done: false, value: 7 });
});

test('two reads at once get one event each', async (t) => {
  const queue = new EventQueue<number>();
  const reads = [queue.read(), queue.read()];
  queue.push(1);
  queue.push(2);
  t.deepEqual(new Set((await Promise.all(reads)).map(({ value }) => value)), new Set([1, 2]));
});

test('what was pushed before the end is read before the end', async (t) => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.end();
  t.deepEqual(await queue.read(), { done: false, value: 1 });
  t.deepEqual(await queue.read(), { done: true, value: undefined });
});

test('an error is thrown once, behind what came before it', async (t) => {
  const queue = new EventQueue<number>();
  const error = new Error('broken');
  queue.push(1);
  queue.fail(error);
  t.deepEqual(await queue.read(), { done: false, value: 1 });
  t.is(await t.throwsAsync(queue.read()), error);
  t.deepEqual(await queue.read(), { done: true, value: undefined });
});

test('undefined can be thrown like any other reason', async (t) => {
  const queue = new EventQueue<number>();
  queue.fail(undefined);
  const outcome = await queue.read().then(
    () => 'read',
    (error: unknown) => ({ error }),
  );
  t.deepEqual(outcome, { error: undefined });
});

test('waiting readers learn of the end', async (t) => {
  const queue = new EventQueue<number>();
  const reads = [queue.read(), queue.read()];
  queue.end();
  t.deepEqual(await Promise.all(reads), [
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});

test('nothing is kept after the reader has gone', async (t) => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.fail(new Error('unseen'));
  queue.discard();
  queue.push(2);
  t.deepEqual(await queue.read(), { done: true, value: undefined });
});
