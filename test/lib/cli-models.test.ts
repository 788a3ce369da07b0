import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { tinyGguf } from '../support/gguf-writer.js';
import { prepareWinnow } from '../support/run-winnow.js';

test('pull checks a file, list shows what the cache holds, remove frees it', async (t) => {
  const { folder, model, run } = await prepareWinnow(t);
  const cached = path.join(folder, 'home', 'hub', 'owner', 'repo', 'main', 'part', 'tiny.gguf');
  await mkdir(path.dirname(cached), { recursive: true });
  await writeFile(cached, tinyGguf());
  const source = 'hf:owner/repo/part/tiny.gguf';
  const pulled = await run(['pull', source, '--json']);
  t.is(pulled.code, 0, pulled.stderr);
  t.deepEqual((JSON.parse(pulled.stdout) as { paths: string[] }).paths, [cached]);
  t.regex((await run(['pull', model])).stdout, /tiny\.gguf\n$/);
  const listed = JSON.parse((await run(['list', '--json'])).stdout) as object[];
  t.deepEqual(listed, [{ source, file: cached, bytes: tinyGguf().length }]);
  t.regex((await run(['list'])).stdout, /^hf:owner\/repo\/part\/tiny\.gguf \d+ MB /);
  t.regex((await run(['remove', source])).stdout, /^removed hf:owner/);
  t.false(existsSync(path.join(folder, 'home', 'hub')), 'empty folders go, too');
  const again = await run(['remove', source]);
  t.is(again.code, 1);
  t.regex(again.stderr, /is not in the cache: winnow list says what is/);
  const empty = await run(['list']);
  t.is(empty.code, 0);
  t.is(empty.stdout, '');
  t.regex(empty.stderr, /winnow pull smollm2-135m fetches one/);
});

test('pull of a model that is not known is status 1, without an argument status 2', async (t) => {
  const { run } = await prepareWinnow(t);
  const unknown = await run(['pull', 'no-such-model']);
  t.is(unknown.code, 1);
  t.regex(unknown.stderr, /There is no model named "no-such-model"/);
  t.is((await run(['pull'])).code, 2);
});
