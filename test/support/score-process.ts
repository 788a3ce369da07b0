// The `winnow` command as a process, on the addon that WINNOW_ADDON names.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { tinyGguf } from './gguf-writer.js';
import { temporaryFolder } from './temporary-folder.js';

const command = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
}

export interface Limits {
  /** No file grows beyond so many blocks of 512 bytes. */
  maxFileBlocks?: number;
}

export function startWinnow(
  args: string[],
  env: NodeJS.ProcessEnv,
  stdin = '',
  { maxFileBlocks }: Limits = {},
): Running {
  const limit = maxFileBlocks === undefined ? '' : `ulimit -f ${maxFileBlocks}; `;
  const shell = ['-c', `${limit}exec "$0" "$@"`, process.execPath, command, ...args];
  const child = spawn('sh', shell, { env: { ...process.env, ...env }, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => {}).end(stdin);
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  );
  return { child, ended };
}

/** A folder for files, and a model: one for the fake backend, whose `name` says how it behaves, or a real one. */
export async function prepareJobs(t: ExecutionContext, options: { name?: string; model?: string } = {}) {
  const folder = await temporaryFolder(t);
  const fake = path.join(folder, `${options.name ?? 'fake'}.gguf`);
  if (!options.model) await writeFile(fake, tinyGguf());
  const model = options.model ?? fake;
  const env = { NODE_NO_WARNINGS: '1', ...(!options.model && { WINNOW_HOME: folder }) };
  const inFolder = (file: string) => path.join(folder, file);
  const start = (args: string[], stdin?: string, limits?: Limits) =>
    startWinnow([...args, '--model', model], env, stdin, limits);
  return {
    folder,
    model,
    inFolder,
    start,
    run: (args: string[], stdin?: string, limits?: Limits) => start(args, stdin, limits).ended,
    write: (file: string, text: string | Uint8Array) => writeFile(inFolder(file), text),
    read: (file: string) => readFile(inFolder(file), 'utf8'),
    lines: async (file: string) => (await readFile(inFolder(file), 'utf8')).split('\n').filter(Boolean),
  };
}

export const jsonLines = (rows: object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Kills a job so many milliseconds after it has begun with its rows, as its sidecar tells. Returns whether it ended by that. */
export async function killInMidJob({ child, ended }: Running, sidecar: string, afterMs: number): Promise<boolean> {
  const changed = async () => (await stat(sidecar).catch(() => undefined))?.mtimeMs;
  const before = await changed();
  while (child.exitCode === null && (await changed()) === before) await delay(10);
  await delay(afterMs);
  child.kill('SIGKILL');
  return (await ended).signal === 'SIGKILL';
}
