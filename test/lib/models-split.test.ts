import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { resolveModel, ModelFileError, ModelSourceError } from '../../lib/models/index.js';
import { partNames } from '../../lib/models/split.js';
import { writeGguf, type MetadataValue } from '../support/gguf-writer.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const partOf = (index: number, count: number) => {
  const metadata: Record<string, MetadataValue> = {
    'split.no': { type: 'uint16', value: index },
    'split.count': { type: 'uint16', value: count },
  };
  // Only the first part holds the model's own metadata.
  if (index === 0) metadata['general.architecture'] = { type: 'string', value: 'llama' };
  return writeGguf({ metadata });
};
const resolve = (file: string) => resolveModel(file, { checkVocabulary: false });
const nameOf = (index: number, count: number) => `m-0000${index + 1}-of-0000${count}.gguf`;

test('the parts of a name that is no part are the name itself', (t) => {
  t.deepEqual(partNames('model.gguf'), ['model.gguf']);
  t.deepEqual(partNames(nameOf(1, 3)), [nameOf(0, 3), nameOf(1, 3), nameOf(2, 3)]);
});

test('any part of a split model stands for all of them', async (t) => {
  const folder = await temporaryFolder(t);
  for (const index of [0, 1, 2]) await writeFile(path.join(folder, nameOf(index, 3)), partOf(index, 3));
  const { paths, architecture } = await resolve(path.join(folder, nameOf(1, 3)));
  t.deepEqual(
    paths,
    [0, 1, 2].map((index) => path.join(folder, nameOf(index, 3))),
  );
  t.is(architecture, 'llama');
});

test('a missing part is named', async (t) => {
  const folder = await temporaryFolder(t);
  for (const index of [0, 2]) await writeFile(path.join(folder, nameOf(index, 3)), partOf(index, 3));
  const error = await t.throwsAsync(() => resolve(path.join(folder, nameOf(0, 3))), { instanceOf: ModelSourceError });
  t.is(error?.code, 'ERR_MODEL_NOT_FOUND');
  t.true(error?.message.includes(nameOf(1, 3)));
});

test('parts that were swapped are refused', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, nameOf(0, 2)), partOf(1, 2));
  await writeFile(path.join(folder, nameOf(1, 2)), partOf(0, 2));
  await t.throwsAsync(() => resolve(path.join(folder, nameOf(0, 2))), {
    instanceOf: ModelFileError,
    message: /its header says it is part 2, its name 1/,
  });
});

test('a part of a model of other length is refused', async (t) => {
  const folder = await temporaryFolder(t);
  for (const index of [0, 1]) await writeFile(path.join(folder, nameOf(index, 2)), partOf(index, 3));
  await t.throwsAsync(() => resolve(path.join(folder, nameOf(0, 2))), { message: /one of 2 parts, its header says 3/ });
});

test('a renamed part is refused, because the others could not be found', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'renamed.gguf');
  await writeFile(file, partOf(0, 3));
  await t.throwsAsync(() => resolve(file), { instanceOf: ModelFileError, message: /one of 3 parts/ });
});

test('a file that names no architecture is refused', async (t) => {
  const file = path.join(await temporaryFolder(t), 'a.gguf');
  await writeFile(file, writeGguf({}));
  await t.throwsAsync(() => resolve(file), { instanceOf: ModelFileError, message: /general\.architecture/ });
});

test('a missing file and an unknown name are told apart', async (t) => {
  const folder = await temporaryFolder(t);
  await t.throwsAsync(() => resolve(path.join(folder, 'none.gguf')), { code: 'ERR_MODEL_NOT_FOUND' });
  const error = await t.throwsAsync(() => resolve('smollm'), { code: 'ERR_MODEL_SOURCE' });
  t.regex(error?.message ?? '', /'smollm2-135m'.*hf:owner/);
  await t.throwsAsync(() => resolve('constructor'), { code: 'ERR_MODEL_SOURCE' });
  await t.throwsAsync(() => resolve(''), { code: 'ERR_MODEL_SOURCE' });
});

test('a folder is not a model', async (t) => {
  await t.throwsAsync(async () => resolve(await temporaryFolder(t)), { code: 'ERR_MODEL_NOT_FOUND' });
});
