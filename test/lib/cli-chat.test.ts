import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { prepareWinnow } from '../support/run-winnow.js';

const engine = "{ answer: (_, { prompt }) => ({ pieces: ['Of', ' ', String(prompt.length)] }) }"; // Longer with each message.

test('chat answers line by line and remembers', async (t) => {
  const { folder, model, run } = await prepareWinnow(t);
  const file = path.join(folder, 'saved.json');
  const stdin = ['Hello', 'And?', '/undo', `/save ${file}`, '/clear', '/history', '/nonsense', '/exit', 'never'].join(
    '\n',
  );
  const { code, stdout, stderr } = await run(['chat', '--model', model, '--system', 'Be brief.'], { stdin, engine });
  t.is(code, 0, stderr);
  const [first, second, ...rest] = stdout.trimEnd().split('\n');
  t.true(Number(second.slice(3)) > Number(first.slice(3)), 'the second prompt holds the first answer');
  t.deepEqual(rest, ['system: Be brief.']);
  t.deepEqual(
    (JSON.parse(await readFile(file, 'utf8')) as { role: string }[]).map(({ role }) => role),
    ['system', 'user', 'assistant'],
  );
  t.regex(stderr, /There is no command \/nonsense/);
});

test('chat --json gives one line per answer; a failed answer leaves no trace', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const failing = "{ errors: { 0: { code: 'ERR_CACHE_FULL', message: 'Full.' } } }";
  const stdin = 'One\nTwo\n/history\n';
  const { code, stdout, stderr } = await run(['chat', '--model', model, '--json'], { stdin, engine: failing });
  t.is(code, 0);
  t.regex(stderr, /winnow: Full\./);
  const [answer, ...history] = stdout.trimEnd().split('\n');
  t.deepEqual(JSON.parse(answer) as object, { role: 'assistant', content: 'Hello world!' });
  t.deepEqual(history, ['user: Two', 'assistant: Hello world!']);
});

test('Ctrl-C stops the answer, not the program', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const endless = "{ answer: () => ({ pieces: Array.from({ length: 100000 }, () => 'word ') }) }";
  let isStopped = false;
  const { code, stdout } = await run(['chat', '--model', model, '--max-tokens', '100000'], {
    engine: endless,
    stdin: 'Go on\n/history\n',
    onStdout: (text, kill) => {
      if (!isStopped && text.includes('word')) kill('SIGINT');
      isStopped ||= text.includes('word');
    },
  });
  t.is(code, 0);
  t.regex(stdout, /user: Go on\nassistant: word/, 'what was said stays in the conversation');
  t.true(stdout.split('word').length < 100_000);
});
