// Every command in a terminal, and Ctrl-C typed into one.
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { controlC, runInTerminal } from '../support/pseudo-terminal.js';
import type { TerminalOptions } from '../support/pseudo-terminal.js';
import { jsonLines, prepareJobs } from '../support/score-process.js';

const fakeNative = fileURLToPath(new URL('../support/fake-native.js', import.meta.url));

async function prepare(t: ExecutionContext, name = 'fake') {
  const jobs = await prepareJobs(t, { name });
  const { folder, model, inFolder, write } = jobs;
  await write(
    'rows.jsonl',
    jsonLines(Array.from({ length: 400 }, (_, id) => ({ id, context: `Row ${id}`, continuations: ['a'] }))),
  );
  await write(
    'prompts.jsonl',
    jsonLines(Array.from({ length: 20 }, (_, id) => ({ id, prompt: `Row ${id}`, maxTokens: 2 + 2 * id }))),
  );
  await write('choices.jsonl', jsonLines([{ id: 'hot', context: 'Hot or', choices: ['cold', 'warm'], answer: 0 }]));
  const env = { WINNOW_HOME: inFolder('home'), NODE_NO_WARNINGS: '1' };
  const run = (args: string[], options: Partial<TerminalOptions> = {}) =>
    runInTerminal(args, { ...options, env: { ...env, ...options.env } });
  return { ...jobs, folder, run, on: ['--model', model] };
}

/** What is left of what was drawn: a line that is drawn anew goes, as do colours. */
const visible = (screen: string) =>
  screen
    .replaceAll(/[^\n]*\r\x1b\[2K/g, '')
    .replaceAll(/\x1b\[[\d;]*[A-Za-z]/g, '')
    .replaceAll('\r\n', '\n');

interface Case {
  args: (files: (file: string) => string) => string[];
  shows: RegExp;
  /** It runs without a model. */
  hasModel?: false;
}

const cases: Record<string, Case> = {
  turn: {
    args: () => ['-m', 'Hi', '-n', '2', '--max-tokens', '4'],
    shows: /^fake 0B on cpu.*\n\n {2}Hi\n[^]*peak memory .*\n$/,
  },
  generate: {
    args: () => ['-p', 'Once', '--max-tokens', '8', '--seed', '1'],
    shows: /^[^\n]+\n8 tokens, .* seed 1\n$/,
  },
  recipe: { args: () => ['compare', '--seed', '1'], shows: /^order .*[^]*"winner"[^]*seed 1\n$/ },
  score: { args: (file) => ['-i', file('rows.jsonl'), '-o', file('out.jsonl')], shows: /^400 rows scored; .*\n$/ },
  batch: {
    args: (file) => ['-i', file('prompts.jsonl'), '-o', file('out.jsonl')],
    shows: /^20 rows answered; .*\n$/,
  },
  eval: {
    args: (file) => ['multiple-choice', '-d', file('choices.jsonl'), '-o', file('out.json')],
    shows: /^multiple-choice, 1 items\n[^]*accuracyPerCharacter .*\n$/,
  },
  doctor: { args: () => [], shows: /^platform .*\n[^]*addon +loads\n/, hasModel: false },
  build: { args: () => ['--help'], shows: /^Usage: winnow build/, hasModel: false },
};

for (const [command, { args, shows, hasModel }] of Object.entries(cases)) {
  test.serial(`winnow ${command} in a terminal shows its result, and nothing of its progress stays`, async (t) => {
    const { run, inFolder, on } = await prepare(t);
    const { code, screen } = await run([command, ...args(inFolder), ...(hasModel === false ? [] : on)]);
    t.is(code, 0, screen);
    t.regex(visible(screen), shows);
    t.notRegex(visible(screen), /NaN|undefined|█|loading/);
  });
}

test.serial('winnow bench in a terminal', async (t) => {
  const { run, inFolder, on } = await prepare(t);
  const addon = inFolder('addon.cjs');
  const manyTokens = "{ answer: () => ({ pieces: Array.from({ length: 300 }, () => 'a') }) }";
  await writeFile(addon, `module.exports = require(${JSON.stringify(fakeNative)}).fakeNative(${manyTokens});`);
  const { code, screen } = await run(['bench', '--runs', '1', ...on], { env: { WINNOW_ADDON: addon } });
  t.is(code, 0, screen);
  t.regex(visible(screen), /reading 512 tokens[^]*peak memory/);
});

test.serial('winnow pull, list and remove in a terminal', async (t) => {
  const { run, inFolder, model } = await prepare(t);
  const cached = inFolder('home/hub/owner/repo/main/model.gguf');
  await mkdir(path.dirname(cached), { recursive: true });
  await copyFile(model, cached);
  const pulled = await run(['pull', model]);
  t.regex(visible(pulled.screen), /^\S+fake\.gguf 0 MB \S+fake\.gguf\n$/);
  t.regex(visible((await run(['list'])).screen), /^hf:owner\/repo\/model\.gguf 0 MB /);
  t.regex(visible((await run(['remove', 'hf:owner/repo/model.gguf'])).screen), /^removed hf:owner/);
  t.regex(visible((await run(['list'])).screen), /No models in the cache yet/);
});

test.serial('a conversation in a terminal: an answer to a line, /exit leaves', async (t) => {
  const { run, on } = await prepare(t);
  const lines = ['Hello\r', '/exit\r'];
  const { code, screen } = await run(['chat', '--max-tokens', '4', ...on], {
    onScreen: (shown, type) => {
      const prompts = visible(shown).split('> ').length - 1;
      if (prompts > 2 - lines.length) type(lines.shift()!);
    },
  });
  t.is(code, 0, screen);
  t.is(lines.length, 0);
  t.regex(visible(screen), /\/help lists the commands\.\n> /);
});

for (const [command, file] of [
  ['score', 'rows.jsonl'],
  ['batch', 'prompts.jsonl'],
]) {
  test.serial(`Ctrl-C typed into winnow ${command} keeps what is done; the same command goes on`, async (t) => {
    const { run, inFolder, on } = await prepare(t, 'fake-delay-100');
    const args = [command, '-i', inFolder(file), '-o', inFolder('out.jsonl'), ...on];
    let hasTyped = false;
    const { code, screen } = await run(args, {
      onScreen: (shown, type) => {
        if (hasTyped || !shown.includes('rows/s')) return;
        hasTyped = true;
        type(controlC);
      },
    });
    t.is(code, 130, screen);
    t.regex(visible(screen), /winnow: interrupted\. What has been written is kept/);
    const last = await run(args);
    t.is(last.code, 0, last.screen);
    t.regex(visible(last.screen), /were there/);
  });
}
