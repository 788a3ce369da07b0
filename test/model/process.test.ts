// How processes and threads end that have a model open: in child processes, whose exit codes tell.
import { execFile } from 'node:child_process';
import test from 'ava';
import { defaultModel } from '../../lib/models/index.js';
import { inRoot } from './helpers/files.js';
import { tinyModelFile } from './helpers/tiny.js';

interface Ended {
  code: number;
  signal: string | null;
  stdout: string;
  stderr: string;
}

const programTimeoutMs = 120_000;

function runChild(name: string, ...args: string[]): Promise<Ended> {
  const program = inRoot('build', 'test', 'test', 'model', 'children', `${name}.js`);
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { timeout: programTimeoutMs }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      resolve({ code, signal: error?.signal ?? null, stdout, stderr });
    });
  });
}

const clean = { code: 0, signal: null, stdout: '', stderr: '' };

for (const [way, title] of Object.entries({
  idle: 'a process with an open model ends by itself',
  unread: 'a process ends by itself once the request has ended that nobody reads',
  exit: 'process.exit() in mid-stream is clean',
  close: 'closing the model in mid-stream lets the process end',
})) {
  test.serial(title, async (t) => {
    t.timeout(programTimeoutMs);
    t.deepEqual(await runChild('exit', way, defaultModel), clean);
  });
}

test.serial('an uncaught error in mid-stream ends the process with its message', async (t) => {
  t.timeout(programTimeoutMs);
  const { code, signal, stderr } = await runChild('exit', 'throw', defaultModel);
  t.is(code, 1);
  t.is(signal, null);
  t.regex(stderr, /thrown on purpose/);
});

test.serial('20 worker threads terminated at random moments leave the engine as it was', async (t) => {
  t.timeout(programTimeoutMs);
  const ended = await runChild('worker-storm', await tinyModelFile('tiny-llama'), '20');
  t.like(ended, { code: 0, signal: null, stderr: '' });
  const { tokensAfterwards } = JSON.parse(ended.stdout) as { tokensAfterwards: number };
  t.is(tokensAfterwards, 4);
});
