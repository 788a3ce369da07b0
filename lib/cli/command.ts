// What every command shares: exit codes, Ctrl-C, and errors in one line.
import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import { OptionError, WinnowError } from '../errors.js';

export const exitCodes = { ok: 0, error: 1, usage: 2, rowErrors: 3, interrupted: 130 } as const;

class Interrupted extends Error {}

/**
 * Runs a command's work; its outcome becomes the exit code. The signal fires on Ctrl-C, a second one ends at once.
 * `keepsInterrupts`: Ctrl-C is the work's own matter, only SIGTERM fires the signal.
 */
export async function runCommand(
  work: (signal: AbortSignal) => Promise<void>,
  { keepsInterrupts = false } = {},
): Promise<void> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort(new Interrupted());
  };
  if (!keepsInterrupts) process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    await work(controller.signal);
  } catch (error) {
    process.exitCode = report(error);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** The reader of a pipe may leave early (`winnow … | head -1`): that is no failure. A full disk behind it is. */
export function endWhenStdoutFails(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    console.error(`winnow: standard output can't be written: ${error.message}`);
    process.exit(exitCodes.error);
  });
}

function report(error: unknown): number {
  if (error instanceof Interrupted) return exitCodes.interrupted;
  // A mistake of ours is shown in full; everything else says in its message what to do.
  const isExpected = error instanceof WinnowError || (error as NodeJS.ErrnoException).code !== undefined;
  console.error(isExpected ? `winnow: ${(error as Error).message}` : error);
  return error instanceof OptionError ? exitCodes.usage : exitCodes.error;
}

/** For options that are numbers; what is allowed is said by the library. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

export async function readStdin(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += String(chunk);
  return text;
}

/** The end of a command's help. `lines`: without the name of the program. */
export const exampleLines = (...lines: string[]): string =>
  `\nExamples:\n${lines.map((line) => `  winnow ${line}`).join('\n')}`;

/** Reads a file that the user named. */
export const readUserFile = (file: string): Promise<string> => readFile(file, 'utf8');
