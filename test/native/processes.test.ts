// How processes and worker threads end that have an engine open: in child processes, whose exit codes tell.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

interface Ended {
  code: number | string;
  signal: string | null;
  stdout: string;
  stderr: string;
}

function run(way: string): Promise<Ended> {
  const program = fileURLToPath(new URL('./children/end.js', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [program, way], { timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, signal: error?.signal ?? null, stdout, stderr }),
    );
  });
}

const clean = { code: 0, signal: null, stderr: '' };

test('a process with an open model and nothing to do ends', async (t) => {
  t.like(await run('idle'), clean);
});

test('a process waits for its running request and no longer', async (t) => {
  t.like(await run('request'), { ...clean, stdout: '20 tokens\n' });
});

test('process.exit() in mid-stream is clean', async (t) => {
  t.like(await run('exit'), clean);
});

test('worker threads share one engine and may be terminated in mid-stream', async (t) => {
  t.like(await run('workers'), { ...clean, stdout: 'the engine goes on\n' });
});
