// The programs of scripts/eval-check that need no Python.
import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { LikelihoodRequest } from '../../lib/eval/index.js';
import { evaluateFile } from '../../lib/eval/index.js';
import { loadModel } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { evalSample } from '../support/eval-samples.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { inRoot } from './helpers/files.js';

const timeoutMs = 180_000;
const script = (name: string) => inRoot('scripts', 'eval-check', name);
const runScript = async (name: string, args: string[]) =>
  (await promisify(execFile)(process.execPath, [script(name), ...args])).stdout;

interface Reply {
  id: number;
  result?: unknown;
  error?: { code: string };
}

test.serial('a model answers over stdio what it answers in the program, and refuses by code', async (t) => {
  t.timeout(timeoutMs);
  const child = spawn(process.execPath, [script('serve.mjs'), defaultModel], { stdio: ['pipe', 'pipe', 'inherit'] });
  const calls = [
    { method: 'logLikelihood', params: { context: 'The capital of France is', continuations: [' Paris', ' Rome'] } },
    { method: 'logLikelihood', params: { context: '', continuations: ['The'] } },
    { method: 'rolling', params: { text: 'The sky is blue.' } },
    { method: 'generate', params: { prompt: 'One, two, three,', stop: [], maxTokens: 2, temperature: 0, seed: 0 } },
    { method: 'logLikelihood', params: { context: 'x', continuations: [] } },
    { method: 'none', params: {} },
  ];
  child.stdin.end(calls.map((call, id) => `${JSON.stringify({ id, ...call })}\n`).join(''));
  let output = '';
  for await (const text of child.stdout.setEncoding('utf8')) output += String(text);
  const replies = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Reply)
    .toSorted((a, b) => a.id - b.id);
  const model = await loadModel(defaultModel);
  try {
    const [paris] = await model.logLikelihood({ prompt: 'The capital of France is' }, [' Paris']);
    const [[logprob, isGreedy]] = replies[0].result as [number, boolean][];
    t.true(Math.abs(logprob - paris.logprob) < 1e-3);
    t.is(isGreedy, paris.isGreedy);
    const { logprob: rolling } = await model.perplexity('The sky is blue.');
    t.true(Math.abs((replies[2].result as number) - rolling) < 1e-2);
  } finally {
    await model.close();
  }
  t.is((replies[1].result as unknown[]).length, 1);
  t.regex(replies[3].result as string, /four/);
  t.deepEqual(
    replies.slice(4).map(({ error }) => error?.code),
    ['ERR_OPTION_VALUE', 'ERR_CALL'],
  );
});

test.serial('a result is compared with scores of its own requests', async (t) => {
  t.timeout(timeoutMs);
  const folder = await temporaryFolder(t);
  const [output, scores] = ['result.json', 'scores.jsonl'].map((name) => path.join(folder, name));
  await evaluateFile({ task: 'hhh', model: defaultModel, data: evalSample('hhh'), output });
  const lines = (await runScript('requests.mjs', ['hhh', evalSample('hhh')])).trimEnd().split('\n');
  const model = await loadModel(defaultModel);
  try {
    const scored = lines.map(async (line) => {
      const { id, requests } = JSON.parse(line) as { id: string; requests: LikelihoodRequest[] };
      const asked = requests.map(({ context, continuations }) =>
        model.logLikelihood({ prompt: context }, continuations),
      );
      const answers = await Promise.all(asked);
      const numbers = (name: 'logprob' | 'tokens') => answers.map((some) => some.map((one) => one[name]));
      return `${JSON.stringify({ id, logprobs: numbers('logprob'), tokens: numbers('tokens') })}\n`;
    });
    await writeFile(scores, (await Promise.all(scored)).join(''));
  } finally {
    await model.close();
  }
  const table = await runScript('compare.mjs', [output, scores]);
  t.regex(table, /^4 of 4 items/);
  t.regex(table, /\| accuracy \| (\S+) \| \1 \| 0 \|/);
  t.regex(table, /\| accuracyAb \| (\S+) \| \1 \| 0 \|/);
  // A score that differs is told of.
  const text = await readFile(scores, 'utf8');
  const [first] = text.split('\n').map((line) => JSON.parse(line || '{}') as { logprobs: number[][] });
  const swapped = { ...first, logprobs: [first.logprobs[0].toReversed(), ...first.logprobs.slice(1)] };
  await writeFile(scores, text.replace(JSON.stringify(first), JSON.stringify(swapped)));
  t.regex(await runScript('compare.mjs', [output, scores]), /\| accuracy \| \S+ \| \S+ \| 1 \|/);
});
