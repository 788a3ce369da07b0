// One listener per signal, however many requests share it: no listener limit is met, and none stays behind.
const callbacksOf = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back once when the signal fires. Returns the function that takes the callback back. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = callbacksOf.get(signal) ?? listen(signal);
  const entry = () => callback(); // Its own identity: the same callback may be there twice.
  callbacks.add(entry);
  return () => {
    if (callbacks.delete(entry) && callbacks.size === 0) stopListening(signal);
  };
}

const listeners = new WeakMap<AbortSignal, () => void>();

function listen(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  const listener = () => {
    stopListening(signal);
    for (const callback of callbacks) callback();
  };
  callbacksOf.set(signal, callbacks);
  listeners.set(signal, listener);
  signal.addEventListener('abort', listener);
  return callbacks;
}

function stopListening(signal: AbortSignal): void {
  signal.removeEventListener('abort', listeners.get(signal)!);
  listeners.delete(signal);
  callbacksOf.delete(signal);
}
