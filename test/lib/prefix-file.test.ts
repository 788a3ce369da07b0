import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { PrefixFileError } from '../../lib/errors.js';
import type { NativeModelInfo } from '../../lib/native.js';
import { openModel } from '../../lib/model.js';
import { resolveLoadOptions } from '../../lib/options.js';
import { fakeNative } from '../support/fake-native.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const messages = [{ role: 'user', content: 'Why is the sky blue?' }];

/** A model whose file is there, on a scripted engine. */
async function openWithFile(modelFile: string, info: Partial<NativeModelInfo> = {}) {
  const native = fakeNative({ info });
  return { native, model: await openModel(native, [modelFile], resolveLoadOptions()) };
}

async function savePrefix(t: ExecutionContext) {
  const folder = await temporaryFolder(t);
  const modelFile = path.join(folder, 'model.gguf');
  await writeFile(modelFile, 'the weights');
  const { model } = await openWithFile(modelFile);
  const prefix = await model.prefill({ messages });
  const file = path.join(folder, 'sky.prefix');
  await prefix.save(file);
  return { folder, modelFile, file, prefix };
}

test('a loaded prefix goes down as it was saved, with its conversation', async (t) => {
  const { modelFile, file, prefix } = await savePrefix(t);
  const { native, model } = await openWithFile(modelFile);
  const loaded = await model.loadPrefix(file, { namespace: 'sky', priority: 2 });
  const [{ saved, ...request }] = native.submitted;
  t.deepEqual([...saved!.state], [1, 2, 3, 1]);
  t.deepEqual([...saved!.row], [0.5, -2]);
  t.like(request, { pin: true, parent: 0, candidates: 0, namespace: 'sky', priority: 2 });
  t.is(request.prompt.length, prefix.tokens);
  t.is(loaded.text, prefix.text);
  const answer = await loaded.generate({ messages: [{ role: 'assistant', content: 'Air scatters it.' }] }).text();
  t.is(answer, 'Hello world!');
});

test('a file is written whole or not at all', async (t) => {
  const { folder, file, prefix } = await savePrefix(t);
  const before = await readFile(file);
  await prefix.save(file);
  t.deepEqual(await readFile(file), before);
  await t.throwsAsync(prefix.save(path.join(folder, 'no', 'such', 'folder')), { code: 'ENOENT' });
  await t.throwsAsync(prefix.save(folder)); // A folder can't be replaced.
  t.deepEqual((await readdir(folder)).sort(), ['model.gguf', 'sky.prefix']);
});

test('a damaged file is refused before the engine sees a byte of it', async (t) => {
  const { folder, modelFile, file } = await savePrefix(t);
  const { native, model } = await openWithFile(modelFile);
  const whole = await readFile(file);
  const damaged: Buffer[] = [Buffer.alloc(0), Buffer.from('GGUF'), Buffer.concat([whole, Buffer.from([0])])];
  for (let length = 1; length < whole.length; length += 7) damaged.push(whole.subarray(0, length));
  for (let at = 0; at < whole.length; at += 5) {
    const flipped = Buffer.from(whole);
    flipped[at] ^= 0x10;
    damaged.push(flipped);
  }
  const broken = path.join(folder, 'broken.prefix');
  for (const bytes of damaged) {
    await writeFile(broken, bytes);
    const error = await t.throwsAsync(model.loadPrefix(broken), { instanceOf: PrefixFileError });
    t.like(error, { code: 'ERR_PREFIX_FILE', path: broken });
  }
  t.is(native.submitted.length, 0);
});

const others: [string, Partial<NativeModelInfo>][] = [
  ['architecture', { architecture: 'other' }],
  ['cacheType', { cacheType: 'q8_0' }],
  ['kernels', { kernels: 'other' }],
  ['device', { device: 'gpu' }],
];
for (const [field, info] of others)
  test(`a prefix of another ${field} is refused, and the message says so`, async (t) => {
    const { modelFile, file } = await savePrefix(t);
    const { native, model } = await openWithFile(modelFile, info);
    const error = await t.throwsAsync(model.loadPrefix(file), { instanceOf: PrefixFileError });
    t.is(error?.code, 'ERR_PREFIX_MISMATCH');
    t.regex(error.message, new RegExp(`another ${field}`));
    t.is(native.submitted.length, 0);
  });

test('a prefix belongs to the bytes of its model, wherever they lie', async (t) => {
  const { folder, modelFile, file } = await savePrefix(t);
  const moved = path.join(folder, 'moved.gguf');
  await copyFile(modelFile, moved);
  t.is((await (await openWithFile(moved)).model.loadPrefix(file)).text?.includes('sky'), true);
  await writeFile(moved, 'The weights');
  const error = await t.throwsAsync((await openWithFile(moved)).model.loadPrefix(file), {
    instanceOf: PrefixFileError,
  });
  t.is(error?.code, 'ERR_PREFIX_MISMATCH');
  t.regex(error.message, /another model/);
});

test('what can’t be a file or an option is refused', async (t) => {
  const { modelFile, file, prefix } = await savePrefix(t);
  const { model } = await openWithFile(modelFile);
  await t.throwsAsync(prefix.save(''), { code: 'ERR_OPTION_VALUE' });
  await t.throwsAsync(model.loadPrefix(7 as unknown as string), { code: 'ERR_OPTION_VALUE' });
  await t.throwsAsync(model.loadPrefix(file, { prompt: 'x' } as object), { code: 'ERR_OPTION_UNKNOWN' });
  await t.throwsAsync(model.loadPrefix(`${file}.gone`), { code: 'ENOENT' });
  await prefix.close();
  await t.throwsAsync(prefix.save(file), { code: 'ERR_PREFIX_CLOSED' });
  await model.close();
  await t.throwsAsync(model.loadPrefix(file), { code: 'ERR_MODEL_CLOSED' });
});
