import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { resolveModel, ModelDownloadError, ModelSourceError } from '../../lib/models/index.js';
import type { ModelProgress, ResolveOptions } from '../../lib/models/index.js';
import { startFakeHub, type FakeHubOptions } from '../support/fake-hub.js';
import { tinyGguf, writeGguf } from '../support/gguf-writer.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const repo = 'someone/tiny';
const model = tinyGguf();

// The hub's address and token come from the environment, so these tests run one after the other.
async function withHub(t: ExecutionContext, options: Partial<FakeHubOptions> = {}) {
  const hub = await startFakeHub({ repo, files: { 'tiny.gguf': model }, ...options });
  t.teardown(hub.close);
  const cacheFolder = await temporaryFolder(t);
  process.env.HF_ENDPOINT = hub.url;
  for (const name of ['HF_TOKEN', 'HF_HUB_OFFLINE', 'WINNOW_OFFLINE']) delete process.env[name];
  // The line is cut once what was sent has arrived, so that a test knows where the next request has to begin.
  const onProgress = ({ phase, bytes }: ModelProgress) => phase === 'download' && hub.cut(bytes);
  const resolve = (source = `hf:${repo}/tiny.gguf`, more: ResolveOptions = {}) =>
    resolveModel(source, { cacheFolder, checkVocabulary: false, onProgress, ...more });
  return { hub, cacheFolder, resolve };
}

test.serial('a file of the hub is downloaded, checked and cached', async (t) => {
  const { hub, resolve } = await withHub(t);
  const progress: ModelProgress[] = [];
  const { paths, bytes } = await resolve(undefined, { onProgress: (step) => progress.push(step) });
  t.deepEqual(await readFile(paths[0] ?? ''), model);
  t.is(bytes, model.length);
  const downloads = progress.filter(({ phase }) => phase === 'download');
  t.is(downloads.at(-1)?.bytes, model.length);
  t.is(downloads.at(-1)?.totalBytes, model.length);
  const { length } = hub.requests;
  t.deepEqual((await resolve()).paths, paths);
  t.is(hub.requests.length, length, 'the second time nothing is asked');
  t.deepEqual(await readdir(path.dirname(paths[0] ?? '')), ['tiny.gguf'], 'nothing else is left behind');
});

test.serial('a download that is cut off goes on where it stopped', async (t) => {
  const { hub, resolve } = await withHub(t, { cuts: [1000, 5000] });
  const { paths } = await resolve();
  t.deepEqual(await readFile(paths[0] ?? ''), model);
  t.deepEqual(hub.ranges, ['', 'bytes=1000-', 'bytes=6000-']);
});

test.serial('a cut at any of 100 places gives the same file', async (t) => {
  const places = Array.from({ length: 100 }, (_, index) => 1 + Math.floor(((model.length - 2) * index) / 99));
  for (const place of places) {
    const { hub, resolve } = await withHub(t, { cuts: [place] });
    const { paths } = await resolve();
    t.deepEqual(await readFile(paths[0] ?? ''), model);
    t.deepEqual(hub.ranges, ['', `bytes=${place}-`]);
  }
});

test.serial('what an earlier process left is continued', async (t) => {
  const { hub, resolve } = await withHub(t, { cuts: [4096] });
  const controller = new AbortController();
  const onProgress = ({ bytes }: ModelProgress) => bytes >= 4096 && controller.abort(new Error('enough'));
  await t.throwsAsync(() => resolve(undefined, { signal: controller.signal, onProgress }), { message: 'enough' });
  const { paths } = await resolve();
  t.deepEqual(await readFile(paths[0] ?? ''), model);
  t.deepEqual(hub.ranges, ['', 'bytes=4096-']);
});

test.serial('a server that ignores ranges is read from the start', async (t) => {
  const { resolve } = await withHub(t, { cuts: [1000], ignoresRanges: true });
  const { paths } = await resolve();
  t.deepEqual(await readFile(paths[0] ?? ''), model);
});

test.serial('a file with the wrong hash is refused and thrown away', async (t) => {
  const { cacheFolder, resolve } = await withHub(t, { sha256: '0'.repeat(64) });
  await t.throwsAsync(() => resolve(), { instanceOf: ModelDownloadError, code: 'ERR_MODEL_CHECKSUM' });
  const left = await readdir(path.join(cacheFolder, 'hub', 'someone', 'tiny', 'main'));
  t.deepEqual(left, []);
});

test.serial("a small file that git keeps is checked by git's own hash", async (t) => {
  const { resolve } = await withHub(t, { inGit: true });
  t.deepEqual(await readFile((await resolve()).paths[0] ?? ''), model);
});

test.serial('all parts of a split file are fetched', async (t) => {
  const part = (index: number) =>
    writeGguf({
      metadata: {
        'general.architecture': { type: 'string', value: 'llama' },
        'split.no': { type: 'uint16', value: index },
        'split.count': { type: 'uint16', value: 2 },
      },
    });
  const files = { 'q/a-00001-of-00002.gguf': part(0), 'q/a-00002-of-00002.gguf': part(1) };
  const { resolve } = await withHub(t, { files });
  const { paths } = await resolve(`hf:${repo}/q/a-00001-of-00002.gguf`);
  t.deepEqual(
    paths.map((file) => path.basename(file)),
    ['a-00001-of-00002.gguf', 'a-00002-of-00002.gguf'],
  );
});

test.serial('a file that the repository does not have is not found', async (t) => {
  const { resolve } = await withHub(t);
  const error = await t.throwsAsync(() => resolve(`hf:${repo}/other.gguf`), { instanceOf: ModelSourceError });
  t.is(error?.code, 'ERR_MODEL_NOT_FOUND');
  t.is(error?.message, 'someone/tiny has no file other.gguf in revision main.');
});

test.serial('HF_TOKEN is sent; without it the error says what to do', async (t) => {
  const { resolve } = await withHub(t, { token: 'hf_secret' });
  const error = await t.throwsAsync(() => resolve(), { instanceOf: ModelDownloadError, code: 'ERR_MODEL_DOWNLOAD' });
  t.regex(error?.message ?? '', /Set HF_TOKEN/);
  process.env.HF_TOKEN = 'hf_secret';
  t.deepEqual(await readFile((await resolve()).paths[0] ?? ''), model);
});

test.serial('HF_HUB_OFFLINE keeps to the cache', async (t) => {
  const { hub, resolve } = await withHub(t);
  process.env.HF_HUB_OFFLINE = '1';
  await t.throwsAsync(() => resolve(), { instanceOf: ModelDownloadError, code: 'ERR_MODEL_OFFLINE' });
  t.deepEqual(hub.requests, []);
  delete process.env.HF_HUB_OFFLINE;
  const { paths } = await resolve();
  process.env.HF_HUB_OFFLINE = '1';
  t.deepEqual((await resolve()).paths, paths);
});

test.serial('a link in the cache does not lead the download out of it', async (t) => {
  const { hub, cacheFolder, resolve } = await withHub(t);
  const outside = await temporaryFolder(t);
  await mkdir(path.join(cacheFolder, 'hub'));
  await symlink(outside, path.join(cacheFolder, 'hub', 'someone'));
  await t.throwsAsync(() => resolve(), { instanceOf: ModelSourceError, message: /leads out of the cache folder/ });
  t.deepEqual(hub.ranges, []);
});

test.serial('two at once fetch a file once', async (t) => {
  const { hub, resolve } = await withHub(t);
  const [first, second] = await Promise.all([resolve(), resolve()]);
  t.deepEqual(first?.paths, second?.paths);
  t.deepEqual(hub.ranges, ['']);
});

test.serial('a lock that a dead process left is taken over', async (t) => {
  const { cacheFolder, resolve } = await withHub(t);
  const lock = path.join(cacheFolder, 'hub', 'someone', 'tiny', 'main', 'tiny.gguf.lock');
  await mkdir(lock, { recursive: true });
  const { utimes } = await import('node:fs/promises');
  await utimes(lock, new Date(0), new Date(0));
  t.deepEqual(await readFile((await resolve()).paths[0] ?? ''), model);
});

test.serial('waiting for another fetch can be aborted', async (t) => {
  const { cacheFolder, resolve } = await withHub(t);
  const folder = path.join(cacheFolder, 'hub', 'someone', 'tiny', 'main');
  await mkdir(path.join(folder, 'tiny.gguf.lock'), { recursive: true });
  const controller = new AbortController();
  const onProgress = ({ phase }: ModelProgress) => phase === 'waiting' && controller.abort(new Error('enough'));
  await t.throwsAsync(() => resolve(undefined, { signal: controller.signal, onProgress }), { message: 'enough' });
});

const escapes = [
  '..',
  '.',
  '%2e%2e',
  '%2E',
  '..%2f',
  '',
  'a\0b',
  'a\\b',
  '...',
  'a:b',
  'C:',
  '-x',
  ' ',
  '~',
  'a b',
  'ü',
  '\n',
];
const places = [
  (part: string) => `hf:${part}/repo/file.gguf`,
  (part: string) => `hf:owner/${part}/file.gguf`,
  (part: string) => `hf:owner/repo/${part}/file.gguf`,
  (part: string) => `hf:owner/repo/${part}/${part}/${part}/file.gguf`,
  (part: string) => `hf:owner/repo@${part}/file.gguf`,
  (part: string) => `hf:owner/repo/folder/${part}.gguf/`,
  (part: string) => `hf:/${part}/owner/repo/file.gguf`,
];

test.serial('addresses that could lead out of the cache are refused before anything is asked', async (t) => {
  const { hub, cacheFolder, resolve } = await withHub(t);
  await writeFile(path.join(cacheFolder, 'secret.gguf'), model);
  for (const source of escapes.flatMap((part) => places.map((place) => place(part)))) {
    await t.throwsAsync(() => resolve(source), { code: 'ERR_MODEL_SOURCE' }, JSON.stringify(source));
  }
  for (const source of [
    'hf:',
    'hf:a',
    'hf:a/b',
    'hf:a/b/c',
    'hf:a/b/c.txt',
    'hf:a/b@c@d/e.gguf',
    `hf:a/b/${'x'.repeat(600)}.gguf`,
  ]) {
    await t.throwsAsync(() => resolve(source), { code: 'ERR_MODEL_SOURCE' }, JSON.stringify(source));
  }
  t.deepEqual(hub.requests, []);
});
