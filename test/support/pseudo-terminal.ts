// The `winnow` command in a terminal: script(1) makes one, and passes on what is typed.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

export interface Session {
  /** What the terminal showed, standard output and error together, with its control sequences. */
  screen: string;
  code: number | null;
}

export interface TerminalOptions {
  env: NodeJS.ProcessEnv;
  /** Gets what is on the screen with each change, and may type. */
  onScreen?: (screen: string, type: (keys: string) => void) => void;
}

export const controlC = '\x03';

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function scriptArguments(words: string[]): string[] {
  if (process.platform === 'darwin') return ['-q', '/dev/null', ...words];
  return ['-q', '-e', '-c', `exec ${words.map(quoted).join(' ')}`, '/dev/null'];
}

export function runInTerminal(args: string[], { env, onScreen = () => {} }: TerminalOptions): Promise<Session> {
  const { NO_COLOR: _, ...outer } = process.env;
  return new Promise((resolve, reject) => {
    const words = scriptArguments([process.execPath, command, ...args]);
    const child = spawn('script', words, { env: { ...outer, TERM: 'xterm', ...env }, stdio: 'pipe' });
    let screen = '';
    const type = (keys: string) => child.stdin.write(keys);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      screen += text;
      onScreen(screen, type);
    });
    child.stdin.on('error', () => {}); // It has ended while something was typed.
    child.on('error', reject).on('close', (code) => resolve({ screen, code }));
  });
}
