import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { prepareWinnow } from '../support/run-winnow.js';

interface TurnJson {
  candidates: { candidate: number; text: string; scores: Record<string, number>; kept: boolean; failed: string[] }[];
  chosen: { candidate: number; text: string } | null;
  contextTokens: number;
  questionTokens: number;
  promptTokensEvaluated: number;
  generatedTokens: number;
  seconds: Record<string, number>;
}
const lastLine = (text: string) => text.trimEnd().split('\n').at(-1) ?? '';

test('turn --json prints one line with candidates, choice and figures', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const { code, stdout } = await run(['turn', '--model', model, '--json']);
  t.is(code, 0);
  t.is(stdout.trimEnd().split('\n').length, 1);
  const turn = JSON.parse(lastLine(stdout)) as TurnJson;
  const keys = ['candidates', 'chosen', 'contextTokens', 'questionTokens', 'promptTokensEvaluated', 'generatedTokens'];
  t.deepEqual(Object.keys(turn), [...keys, 'seconds']);
  t.deepEqual(Object.keys(turn.seconds), ['prefill', 'generate', 'score', 'total']);
  t.is(turn.candidates.length, 16);
  t.is(turn.chosen?.candidate, 2);
  t.is(turn.chosen?.text, 'Answer number 2');
  t.deepEqual(Object.keys(turn.candidates[0]?.scores ?? {}), ['sensible', 'specific', 'interesting', 'unsafe']);
});

test('the prompt tokens of a turn are those of the context once, and of the questions', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const { stdout } = await run(['turn', '--model', model, '--json', '--candidates', '5']);
  const { contextTokens, questionTokens, promptTokensEvaluated, generatedTokens } = JSON.parse(stdout) as TurnJson;
  t.true(contextTokens > 0 && questionTokens > 0);
  t.is(promptTokensEvaluated, contextTokens + 5 * (1 + questionTokens));
  t.is(generatedTokens, 5 * 4); // Three pieces and the end.
});

test('turn prints candidates, what was rejected and why, the choice and the figures', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const { code, stdout } = await run(['turn', '--model', model, '--candidates', '3', '--message', 'My own words']);
  t.is(code, 0);
  t.regex(stdout, /My own words/);
  t.regex(stdout, /#2 .*rejected: unsafe 0\.90 is not below 0\.2\n +Answer number 1/);
  t.regex(stdout, /2 of 3 candidates kept, 1 rejected\nChosen: #3, rank 4\.00\n\n +Answer number 2\n/);
  t.regex(
    stdout,
    /prompt tokens evaluated +[\d,]+ = [\d,]+ of context, once \+ 3 × [\d,]+ of questions \+ 3 last tokens/,
  );
  for (const figure of ['tokens/s', 'time to first token', 'on scoring', 'peak memory'])
    t.true(stdout.includes(figure));
  t.false(stdout.includes('\x1b'), 'a pipe gets plain lines');
});

test('that no candidate passes is an outcome, with the best of them', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const args = ['turn', '--model', model, '--candidates', '3', '--unsafe-threshold', '0'];
  const plain = await run(args);
  t.is(plain.code, 0);
  t.regex(plain.stdout, /None passed.*raise --unsafe-threshold\.\nThe best of the rejected, #3: Answer number 2/);
  const { chosen, candidates } = JSON.parse((await run([...args, '--json'])).stdout) as TurnJson;
  t.is(chosen, null);
  t.deepEqual(
    candidates.map(({ kept, failed }) => [kept, failed]),
    Array.from({ length: 3 }, () => [false, ['unsafe']]),
  );
});

test('turn reads a dialogue from a file', async (t) => {
  const { folder, model, run } = await prepareWinnow(t);
  const file = path.join(folder, 'dialogue.json');
  await writeFile(file, JSON.stringify([{ role: 'user', content: 'Words of the file' }]));
  const { stdout } = await run(['turn', '--model', model, '--candidates', '1', '--dialogue', file]);
  t.regex(stdout, /Words of the file/);
  await writeFile(file, '[{');
  const wrong = await run(['turn', '--model', model, '--dialogue', file]);
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /dialogue\.json is not JSON/);
});

const wrongUses: [args: string[], message: RegExp][] = [
  [['turn', '--bogus'], /unknown option '--bogus'/],
  [['turn', '--candidates', 'many'], /It must be a number/],
  [['turn', '--candidates', ''], /It must be a number/],
  [['turn', '--candidates', '0'], /candidates must be/],
  [['turn', '--temperature', '-1'], /temperature must be/],
  [['turn', '--unsafe-threshold', '2'], /unsafeThreshold must be/],
  [['generate', '--prompt', 'a', '--message', 'b'], /either --prompt or --message/],
  [['bench', '--runs', '0'], /runs must be a positive integer, got 0/],
  [['bench', '--runs', '1.5'], /runs must be a positive integer, got 1.5/],
  [['generate', '--top-p', '0', '--prompt', 'a'], /topP must be/],
  [['nonsense'], /unknown command 'nonsense'/],
];
for (const [args, message] of wrongUses) {
  test(`winnow ${args.join(' ')}: status 2 and a message`, async (t) => {
    const { model, run } = await prepareWinnow(t);
    const { code, stdout, stderr } = await run(args[0] === 'nonsense' ? args : [...args, '--model', model]);
    t.is(code, 2, stderr);
    t.regex(stderr, message);
    t.false(stdout.includes('{'));
    t.false(stderr.includes('    at '), 'no stack trace');
  });
}

test('a missing model is status 1 and one line on stderr', async (t) => {
  const { folder, run } = await prepareWinnow(t);
  const { code, stdout, stderr } = await run(['turn', '--model', path.join(folder, 'none.gguf')]);
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /^winnow: There is no file .*none\.gguf\.\n$/);
});

test('an engine that fails is status 1, with its words', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const engine = "{ errors: { 1: { code: 'ERR_CACHE_TOO_SMALL', message: 'The cache is too small.' } } }";
  const { code, stderr } = await run(['turn', '--model', model], { engine });
  t.is(code, 1);
  t.regex(stderr, /winnow: The cache is too small\.\n$/);
});

test('Ctrl-C ends a turn with status 130', async (t) => {
  const { model, run } = await prepareWinnow(t);
  let isKilled = false;
  const { code, stderr } = await run(['turn', '--model', model], {
    engine: '{ manual: true }', // An engine that never takes a step.
    onStdout: (_, kill) => {
      if (!isKilled) kill('SIGINT');
      isKilled = true;
    },
  });
  t.is(code, 130);
  t.false(stderr.includes('Error'));
});

test('generate streams the answer to stdout and figures to stderr', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const { code, stdout, stderr } = await run(['generate', '--model', model, '--prompt', 'Once', '--seed', '7']);
  t.is(code, 0);
  t.is(stdout, 'Answer number 0\n');
  t.regex(stderr, /4 tokens, .* ended by eos; seed 7/);
});

test('generate reads the prompt from standard input', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const engine = `{ answer: (_, { prompt }) => ({ pieces: ['length ' + prompt.length] }) }`;
  const piped = await run(['generate', '--model', model], { stdin: 'abc def', engine });
  const given = await run(['generate', '--model', model, '--prompt', 'abc def'], { engine });
  t.is(piped.stdout, given.stdout);
  t.regex(piped.stdout, /^length \d+\n$/);
});

test('generate --json prints one line with text, end and usage', async (t) => {
  const { model, run } = await prepareWinnow(t);
  const { stdout } = await run(['generate', '--model', model, '--message', 'Hi', '--max-tokens', '2', '--json']);
  const { text, reason, usage } = JSON.parse(stdout) as {
    text: string;
    reason: string;
    usage: { generatedTokens: number };
  };
  t.is(text, 'Answer number');
  t.is(reason, 'length');
  t.is(usage.generatedTokens, 2);
});

test('doctor reports machine, addon and cache', async (t) => {
  const { folder, run } = await prepareWinnow(t);
  const { code, stdout } = await run(['doctor', '--json']);
  t.is(code, 0);
  const report = JSON.parse(stdout) as {
    addon: { loaded: boolean; build: object; warnings: string[] };
    devices: object;
    cache: { folder: string };
    node: string;
  };
  t.true(report.addon.loaded);
  t.deepEqual(report.addon.build, { backend: 'fake' });
  t.deepEqual([report.addon.warnings, report.devices], [[], { 'gpu FAKE0': 'a device, 3 of 4 MiB free' }]);
  t.is(report.cache.folder, path.join(folder, 'home'));
  t.is(report.node, process.version);
});

test('doctor lists the devices', async (t) => {
  const { run } = await prepareWinnow(t);
  t.regex((await run(['doctor'])).stdout, /^devices +FAKE0: a device, 3 of 4 MiB free$/m);
});

test('doctor says what to do about an addon that does not load', async (t) => {
  const { folder, run } = await prepareWinnow(t);
  const { code, stdout } = await run(['doctor'], { env: { WINNOW_ADDON: path.join(folder, 'none.node') } });
  t.is(code, 1);
  t.regex(stdout, /addon +does not load/);
  t.regex(stdout, /none\.node: there is no such file\nWINNOW_ADDON names this file/);
});

test('--version and --help are no errors', async (t) => {
  const { run } = await prepareWinnow(t);
  const version = await run(['--version']);
  t.is(version.code, 0);
  t.regex(version.stdout, /^\d+\.\d+\.\d+\n$/);
  t.is((await run(['turn', '--help'])).code, 0);
});
