// The `winnow` command as a process, on the addon that WINNOW_ADDON names.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { Fault } from './faulty-files.js';
import { tinyGguf } from './gguf-writer.js';
import { temporaryFolder } from './temporary-folder.js';

const command = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));
const mostKillMs = 4000;
const preload = (module: string) => ['--import', new URL(module, import.meta.url).href];

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

/** In what the process runs. */
export interface Circumstances {
  /** No file grows beyond so many blocks of 512 bytes. */
  maxFileBlocks?: number;
  /** Files that fail. */
  faults?: Fault[];
  /** Clocks jump an hour ahead and back. */
  jumpingClock?: boolean;
  /** Standard output is this file. */
  stdoutFile?: string;
  /** How long standard input stays open behind its text. */
  stdinHeldMs?: number;
}

export function startWinnow(
  args: string[],
  env: NodeJS.ProcessEnv,
  stdin = '',
  { maxFileBlocks, faults, jumpingClock, stdoutFile, stdinHeldMs = 0 }: Circumstances = {},
): Running {
  const limit = maxFileBlocks === undefined ? '' : `ulimit -f ${maxFileBlocks}; `;
  const into = stdoutFile === undefined ? '' : ` > ${stdoutFile}`;
  const preloads = [
    ...(faults ? preload('faulty-files.js') : []),
    ...(jumpingClock ? preload('jumping-clock.js') : []),
  ];
  const shell = ['-c', `${limit}exec "$0" "$@"${into}`, process.execPath, ...preloads, command, ...args];
  const faultsJson = faults && { WINNOW_TEST_FAULTS: JSON.stringify(faults) };
  const child = spawn('sh', shell, { env: { ...process.env, ...env, ...faultsJson }, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => {}).write(stdin);
  const timer = setTimeout(() => child.stdin.end(), stdinHeldMs);
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    }),
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
  const start = (args: string[], stdin?: string, circumstances?: Circumstances) =>
    startWinnow([...args, '--model', model], env, stdin, circumstances);
  return {
    folder,
    model,
    inFolder,
    start,
    run: (args: string[], stdin?: string, circumstances?: Circumstances) => start(args, stdin, circumstances).ended,
    write: (file: string, text: string | Uint8Array) => writeFile(inFolder(file), text),
    read: (file: string) => readFile(inFolder(file), 'utf8'),
    lines: async (file: string) => (await readFile(inFolder(file), 'utf8')).split('\n').filter(Boolean),
  };
}

export const jsonLines = (rows: object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/**
 * Kills a job at so many random moments of `withinMs` (or a few seconds: it goes on from there) after its start, and
 * restarts it at once. Where it ends before, which `onEnd` gets to see, it is killed the more often.
 */
export async function killAgainAndAgain(
  start: () => Running,
  { kills, withinMs, onEnd }: { kills: number; withinMs: number; onEnd: (ended: Ended) => Promise<void> },
): Promise<void> {
  for (let killed = 0; killed < kills;) {
    const { child, ended } = start();
    const timer = setTimeout(() => child.kill('SIGKILL'), Math.min(withinMs, mostKillMs) * Math.random());
    const end = await ended;
    clearTimeout(timer);
    if (end.signal === 'SIGKILL') killed++;
    else await onEnd(end);
  }
}

/** A job that can be begun anew. */
export async function removeOutput(file: string): Promise<void> {
  for (const name of [file, `${file}.state.json`, `${file}.errors.jsonl`]) await rm(name, { force: true });
}
