// Runs the `winnow` command in a process of its own, on a scripted engine and a tiny model file.
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { tinyGguf } from './gguf-writer.js';
import { temporaryFolder } from './temporary-folder.js';

const command = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));
const fakeNative = fileURLToPath(new URL('./fake-native.js', import.meta.url));

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** JavaScript source of the fake engine's options. */
  engine?: string;
  stdin?: string;
  env?: NodeJS.ProcessEnv;
  /** Gets the process with each piece of its standard output. */
  onStdout?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** What the scripted candidates say, and P(yes) of each attribute: candidate 1 is unsafe, candidate 2 the best. */
export const scriptedEngine = `{
  answer: (candidate) => ({ pieces: ['Answer', ' number', ' ' + candidate] }),
  logprob: ({ index, question, candidate }) => {
    const yes = question === 3 ? (candidate === 1 ? 0.9 : 0.1) : candidate === 2 ? 0.8 : 0.4;
    return Math.log(index === 0 ? yes : 1 - yes);
  },
}`;

export async function prepareWinnow(t: ExecutionContext) {
  const folder = await temporaryFolder(t);
  const model = path.join(folder, 'tiny.gguf');
  await writeFile(model, tinyGguf());
  const run = async (args: string[], options: RunOptions = {}): Promise<Outcome> => {
    const addon = path.join(folder, 'addon.cjs');
    const { engine = scriptedEngine } = options;
    await writeFile(addon, `module.exports = require(${JSON.stringify(fakeNative)}).fakeNative(${engine});`);
    const env = { ...process.env, WINNOW_ADDON: addon, WINNOW_HOME: path.join(folder, 'home'), NODE_NO_WARNINGS: '1' };
    return runProcess(args, { ...options, env: { ...env, ...options.env } });
  };
  return { folder, model, run };
}

function runProcess(args: string[], { stdin = '', env, onStdout }: RunOptions): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...args], { env, stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      onStdout?.(stdout, (signal) => child.kill(signal));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(stdin);
  });
}
