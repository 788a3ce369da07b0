import test from 'ava';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { openFake, settle } from '../support/open-fake.js';

// Channels are the process's: one test at a time.
function listen(name: string) {
  const messages: object[] = [];
  const listener = (message: unknown) => messages.push(message as object);
  subscribe(name, listener);
  return { messages, stop: () => unsubscribe(name, listener) };
}

test.serial('every request is told of when it starts and when it ends', async (t) => {
  const starts = listen('winnow:request:start');
  const ends = listen('winnow:request:finish');
  const { native, model } = await openFake({ errors: { 1: { code: 'ERR_COMPUTE', message: 'broken' } } });
  const { usage, timings } = await model.generate({ prompt: 'x', maxTokens: 9, priority: 2, namespace: 'n' }).result();
  await t.throwsAsync(model.generate({ prompt: 'x' }).result(), { code: 'ERR_COMPUTE' });
  const cancelled = model.generate({ prompt: 'x' });
  while (native.submitted.length < 3) await settle();
  cancelled.cancel();
  const open = model.generate({ prompt: 'x' });
  while (native.submitted.length < 4) await settle();
  await model.close();
  await t.throwsAsync(open.result(), { code: 'ERR_MODEL_CLOSED' });
  starts.stop();
  ends.stop();
  t.is(starts.messages.length, 4);
  t.like(starts.messages[0], { request: 1, candidates: 1, questions: 0, maxTokens: 9, priority: 2, namespace: 'n' });
  t.is(ends.messages.length, 4);
  t.deepEqual(ends.messages[0], { request: 1, usage, timings });
  t.like(ends.messages[1], { request: 2, error: { code: 'ERR_COMPUTE' } });
  t.deepEqual(ends.messages[2], { request: 3, cancelled: true });
  t.like(ends.messages[3], { request: 4, error: { code: 'ERR_MODEL_CLOSED' } });
});
