import path from 'node:path';
import { writeFile } from 'node:fs/promises';
import test from 'ava';
import { ModelFileError, resolveModel } from '../../lib/models/index.js';
import { VocabularyChecker } from '../../lib/models/vocabulary.js';
import { fuzzGguf } from '../support/gguf-fuzz.js';
import { tinyGguf } from '../support/gguf-writer.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('the vocabulary of the undamaged file loads', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'tiny.gguf');
  await writeFile(file, tinyGguf());
  const { architecture } = await resolveModel(file, { cacheFolder: folder });
  t.is(architecture, 'llama');
});

test('2,000 damaged files are refused or loaded, and no more than a child process dies of one', async (t) => {
  t.timeout(300_000);
  const checker = new VocabularyChecker();
  t.teardown(() => checker.close());
  const folder = await temporaryFolder(t);
  const counts = await fuzzGguf({ original: tinyGguf(), count: 2000, firstSeed: 0, folder, checker });
  const { refusedByHeader, refusedByVocabulary, loaded, deaths } = counts;
  t.is(refusedByHeader + refusedByVocabulary + loaded + deaths.length, 2000);
  t.true(refusedByHeader > 500 && loaded > 100, JSON.stringify(counts));
  t.log(JSON.stringify({ ...counts, deaths: deaths.slice(0, 5) }));
});

test('a vocabulary that llama.cpp refuses is a typed error', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'wrong.gguf');
  const bytes = tinyGguf();
  bytes.write('xyzzy', bytes.indexOf('llama', bytes.indexOf('tokenizer.ggml.model'))); // No tokenizer has this name.
  await writeFile(file, bytes);
  await t.throwsAsync(() => resolveModel(file, { cacheFolder: folder }), { instanceOf: ModelFileError });
});
