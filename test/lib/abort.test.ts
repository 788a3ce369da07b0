import test from 'ava';
import { getEventListeners } from 'node:events';
import { onAbort } from '../../lib/abort.js';

test('callbacks are called once when the signal fires', (t) => {
  const controller = new AbortController();
  const calls: string[] = [];
  onAbort(controller.signal, () => calls.push('a'));
  onAbort(controller.signal, () => calls.push('b'));
  controller.abort();
  t.deepEqual(calls, ['a', 'b']);
});

test('a callback that was taken back is not called', (t) => {
  const controller = new AbortController();
  const calls: string[] = [];
  const remove = onAbort(controller.signal, () => calls.push('a'));
  onAbort(controller.signal, () => calls.push('b'));
  remove();
  controller.abort();
  t.deepEqual(calls, ['b']);
});

test('a signal has one listener however many wait for it, and none when nobody does', (t) => {
  const { signal } = new AbortController();
  const removals = Array.from({ length: 1000 }, () => onAbort(signal, () => {}));
  t.is(getEventListeners(signal, 'abort').length, 1);
  for (const remove of removals) remove();
  t.is(getEventListeners(signal, 'abort').length, 0);
});

test('a signal can be waited for again after nobody did', (t) => {
  const controller = new AbortController();
  onAbort(controller.signal, () => {})();
  let isCalled = false;
  onAbort(controller.signal, () => (isCalled = true));
  controller.abort();
  t.true(isCalled);
});

test('taking a callback back after the signal has fired does nothing', (t) => {
  const controller = new AbortController();
  const remove = onAbort(controller.signal, () => {});
  controller.abort();
  t.notThrows(remove);
});

test('a callback may take others back while the signal fires', (t) => {
  const controller = new AbortController();
  const calls: string[] = [];
  onAbort(controller.signal, () => {
    calls.push('a');
    removeSecond();
  });
  const removeSecond = onAbort(controller.signal, () => calls.push('b'));
  controller.abort();
  t.deepEqual(calls, ['a']);
});
