// The first load of a file's vocabulary happens in a child process (vocabulary-child.ts). Files that passed are remembered.
import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '../addon.js';
import { cacheFolderOf } from './cache.js';
import { ModelFileError } from './errors.js';
import type { FetchOptions } from './progress.js';
import type { VocabularyAnswer } from './vocabulary-child.js';

const childFile = fileURLToPath(new URL('./vocabulary-child.js', import.meta.url));
const timeoutMs = 60_000; // The largest vocabularies take seconds on a slow disk.
const fingerprintBytes = 1 << 20;
const keptOutput = 4000; // Characters of the child's last words.

/** 'loaded', or why not. `died`: the child process ended abnormally. */
export type VocabularyVerdict = { loaded: true } | { loaded: false; died: boolean; code?: string; reason: string };

/** Checks one file after the other in a child process, with a new one where the last file killed it. */
export class VocabularyChecker {
  #child: ChildProcess | undefined;
  #output = '';

  check(file: string, signal?: AbortSignal): Promise<VocabularyVerdict> {
    signal?.throwIfAborted();
    const child = (this.#child ??= this.#start());
    this.#output = '';
    return new Promise((resolve, reject) => {
      const settle = (verdict: VocabularyVerdict) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        for (const event of ['message', 'close', 'error']) child.removeAllListeners(event);
        if (signal?.aborted) reject(signal.reason as Error);
        else resolve(verdict);
      };
      const abort = () => child.kill('SIGKILL');
      let timedOut = false;
      const timer = setTimeout(() => (timedOut = child.kill('SIGKILL')), timeoutMs);
      signal?.addEventListener('abort', abort, { once: true });
      child.once('message', (answer: VocabularyAnswer) => settle(verdictOf(answer)));
      child.once('close', (code, killer) => {
        this.#child = undefined;
        const how = timedOut
          ? `it took longer than ${timeoutMs / 1000} s`
          : `it ended with ${killer ?? `status ${code}`}`;
        settle({ loaded: false, died: true, reason: `${how}${this.#lastWords()}` });
      });
      child.once('error', ({ message }) => {
        this.#child = undefined;
        settle({
          loaded: false,
          died: true,
          code: 'ERR_CHILD',
          reason: `no child process could be started (${message})`,
        });
      });
      child.send(file, () => {}); // A child that is gone already is seen by 'close'.
    });
  }

  close(): void {
    this.#child?.disconnect();
    this.#child = undefined;
  }

  #start(): ChildProcess {
    const env = { ...process.env, GGML_NO_BACKTRACE: '1', ELECTRON_RUN_AS_NODE: '1' };
    const child = fork(childFile, [], { env, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-keptOutput);
    });
    return child;
  }

  #lastWords(): string {
    const assertion = this.#output.split('\n').find((line) => /assert|error|terminate/i.test(line));
    return assertion ? `: ${assertion.trim().slice(0, 200)}` : '';
  }
}

const verdictOf = ({ error }: VocabularyAnswer): VocabularyVerdict =>
  error ? { loaded: false, died: false, code: error.code, reason: error.message } : { loaded: true };

/** Throws ModelFileError where llama.cpp can't load the vocabulary of this file, or dies of it. */
export async function requireVocabulary(file: string, options: FetchOptions): Promise<void> {
  const record = await describe(file);
  const recordFile = path.join(cacheFolderOf(options), 'checked', `${digest(file)}.json`);
  if ((await readFile(recordFile, 'utf8').catch(() => '')) === record) return;
  options.onProgress?.({ phase: 'check', name: path.basename(file), bytes: 0, totalBytes: 0 });
  const checker = new VocabularyChecker();
  try {
    accept(file, await checker.check(file, options.signal));
  } finally {
    checker.close();
  }
  await remember(recordFile, record);
}

function accept(file: string, verdict: VocabularyVerdict): void {
  if (verdict.loaded) return;
  if (verdict.code === 'ERR_ADDON_LOAD') loadAddon(); // Throws here what it threw there, with its fields.
  const reason = verdict.died ? 'loading its vocabulary crashed a test process' : "its vocabulary can't be loaded";
  throw new ModelFileError(file, `${reason}: ${verdict.reason}`);
}

const digest = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');

/** What tells this version of the file from any other, cheaply: the first MiB holds most of the header. */
async function describe(file: string): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  const handle = await open(file);
  try {
    const bytes = Buffer.alloc(Math.min(size, fingerprintBytes));
    await handle.read(bytes, 0, bytes.length, 0);
    return JSON.stringify({ path: file, size, mtimeMs, firstMebibyte: digest(bytes) });
  } finally {
    await handle.close();
  }
}

/** A cache that can't be written only means that the file is checked again next time. */
async function remember(recordFile: string, record: string): Promise<void> {
  const temporary = `${recordFile}.${process.pid}`;
  try {
    await mkdir(path.dirname(recordFile), { recursive: true });
    await writeFile(temporary, record);
    await rename(temporary, recordFile);
  } catch {
    // See above.
  }
}
