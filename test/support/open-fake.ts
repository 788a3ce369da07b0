import type { Model } from '../../lib/model.js';
import { openModel } from '../../lib/model.js';
import type { LoadOptions } from '../../lib/options.js';
import { resolveLoadOptions } from '../../lib/options.js';
import type { FakeOptions } from './fake-native.js';
import { FakeNative, fakeNative } from './fake-native.js';

/** A model on a scripted engine, and the engine. */
export async function openFake(
  options: FakeOptions = {},
  loadOptions: LoadOptions = {},
): Promise<{ native: FakeNative; model: Model }> {
  const native = fakeNative(options);
  const model = await openModel(native, ['fake.gguf'], resolveLoadOptions(loadOptions));
  return { native, model };
}

export async function collect<Event>(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** Every callback and promise that is due now has run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Token texts, as the fake's vocabulary shows them. */
export function pieces(native: FakeNative, tokens: Int32Array): string[] {
  return [...tokens].map((token) => native.detokenize(Int32Array.of(token), true));
}
