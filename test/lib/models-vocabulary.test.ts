import { readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { AddonLoadError } from '../../lib/addon.js';
import { ModelFileError, resolveModel } from '../../lib/models/index.js';
import { VocabularyChecker } from '../../lib/models/vocabulary.js';
import { tinyGguf } from '../support/gguf-writer.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** An addon in JavaScript: what it does with a file is written at the file's end. It counts its calls in a file. */
async function withFakeAddon(t: ExecutionContext) {
  const folder = await temporaryFolder(t);
  const addon = path.join(folder, 'addon.cjs');
  const calls = path.join(folder, 'calls');
  await writeFile(calls, '');
  const code = `const fs = require('node:fs');
    exports.checkVocabulary = (file) => {
      fs.appendFileSync(${JSON.stringify(calls)}, 'x');
      const text = fs.readFileSync(file, 'latin1');
      if (text.endsWith('ABORT')) { console.error('vocab.cpp:7: GGML_ASSERT(x) failed'); process.abort(); }
      if (text.endsWith('THROW')) throw Object.assign(new Error('no such tokenizer'), { code: 'ERR_ENGINE' });
    };`;
  await writeFile(addon, code);
  process.env.WINNOW_ADDON = addon;
  const write = async (name: string, end = '') => {
    const file = path.join(folder, name);
    await writeFile(file, Buffer.concat([tinyGguf(), Buffer.from(end)]));
    return file;
  };
  const resolve = (file: string, signal?: AbortSignal) =>
    resolveModel(file, { cacheFolder: path.join(folder, 'cache'), signal });
  return { write, resolve, numCalls: async () => (await readFile(calls, 'utf8')).length };
}

test.serial('a new file has its vocabulary loaded once, in another process', async (t) => {
  const { write, resolve, numCalls } = await withFakeAddon(t);
  const file = await write('good.gguf');
  await resolve(file);
  t.is(await numCalls(), 1);
  await resolve(file);
  t.is(await numCalls(), 1, 'it is remembered');
});

test.serial('a file that changed is checked again', async (t) => {
  const { write, resolve, numCalls } = await withFakeAddon(t);
  const file = await write('good.gguf');
  await resolve(file);
  await utimes(file, new Date(0), new Date(0));
  await resolve(file);
  t.is(await numCalls(), 2);
});

test.serial('a file that kills the process is refused, and this process lives', async (t) => {
  const { write, resolve, numCalls } = await withFakeAddon(t);
  const file = await write('bad.gguf', 'ABORT');
  const error = await t.throwsAsync(() => resolve(file), { instanceOf: ModelFileError, code: 'ERR_MODEL_FILE' });
  t.regex(error?.reason ?? '', /crashed a test process.*GGML_ASSERT\(x\) failed/);
  await t.throwsAsync(() => resolve(file), { instanceOf: ModelFileError });
  t.is(await numCalls(), 2, 'what failed is not remembered');
});

test.serial("a vocabulary that can't be loaded is refused with the engine's words", async (t) => {
  const { write, resolve } = await withFakeAddon(t);
  const error = await t.throwsAsync(async () => resolve(await write('bad.gguf', 'THROW')), {
    instanceOf: ModelFileError,
  });
  t.regex(error?.reason ?? '', /its vocabulary can't be loaded: no such tokenizer/);
});

test.serial('a missing addon is reported as that, not as a bad file', async (t) => {
  const { write, resolve } = await withFakeAddon(t);
  const file = await write('good.gguf');
  process.env.WINNOW_ADDON = path.join(path.dirname(file), 'none.node');
  await t.throwsAsync(() => resolve(file), { instanceOf: AddonLoadError, code: 'ERR_ADDON_LOAD' });
});

test.serial('one child checks many files until one kills it', async (t) => {
  const { write } = await withFakeAddon(t);
  const checker = new VocabularyChecker();
  t.teardown(() => checker.close());
  const ends = ['', 'THROW', 'ABORT', '', 'ABORT', ''];
  const outcomes: string[] = [];
  for (const [index, end] of ends.entries()) {
    const verdict = await checker.check(await write(`${index}.gguf`, end));
    outcomes.push(verdict.loaded ? 'loaded' : verdict.died ? 'died' : 'refused');
  }
  t.deepEqual(outcomes, ['loaded', 'refused', 'died', 'loaded', 'died', 'loaded']);
});

test.serial('an aborted check rejects with the reason of the signal', async (t) => {
  const { write, resolve } = await withFakeAddon(t);
  const reason = new Error('enough');
  await t.throwsAsync(async () => resolve(await write('good.gguf'), AbortSignal.abort(reason)), { is: reason });
});
