// A model on the real glue and engine, with the fake backend behind them (WINNOW_ADDON names that addon).
import { loadAddon } from '../../lib/addon.js';
import type { Model } from '../../lib/model.js';
import { openModel } from '../../lib/model.js';
import type { LoadOptions } from '../../lib/options.js';
import { resolveLoadOptions } from '../../lib/options.js';

/** `path` says how the fake behaves: see test/support/fake_backend.h. */
export function openNative(path: string, options: LoadOptions = {}): Promise<Model> {
  return openModel(loadAddon(), [path], resolveLoadOptions({ contextSize: 1024, ...options }));
}
