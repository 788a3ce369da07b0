// npm run recipes [-- NAME …]   the published systems in their published sizes, on the default model. Minutes to hours.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inRoot } from './lib/paths.mjs';

const folder = mkdtempSync(path.join(os.tmpdir(), 'winnow-recipes-'));
const facts = ['How much is 135 plus 7721?', 'How deep is Lake Baikal?']; // LaMDA's two kinds of question.

/** Twenty questions with small numbers. */
const problems = Array.from({ length: 20 }, (_, index) => {
  const [boxes, each, eaten] = [2 + (index % 5), 3 + (index % 7), 1 + (index % 3)];
  return `There are ${boxes} boxes with ${each} pears each. ${eaten} pears are eaten. How many pears are left?`;
});

/** Name → the arguments of each run. Without any: the example as it is, which has the published size. */
const sizes = {
  'lamda-tools': facts.map((message) => ['--message', message]),
  'lamda-filter': [['--count', '100']],
  'rejection-sampling': [['--count', '50']],
  'self-align': [['--count', '64', '--output', folder]],
};
const others =
  'sparrow blenderbot best-of-n ghost-attention aligned-answer constitution preference chain-of-thought least-to-most ' +
  'self-debug in-context compare grade';
const all = [...Object.keys(sizes), ...others.split(' '), 'self-consistency'];
const names = process.argv.length > 2 ? process.argv.slice(2) : all;

/** Runs the command; returns how many runs failed. */
function runExamples(name) {
  let failed = 0;
  for (const args of sizes[name] ?? [[]]) {
    console.log(`\n$ winnow recipe ${name} ${args.map((word) => JSON.stringify(word)).join(' ')}`);
    const command = [inRoot('dist', 'cli', 'main.js'), 'recipe', name, '--seed', '1', ...args];
    if (spawnSync(process.execPath, command, { stdio: 'inherit' }).status !== 0) failed++;
  }
  return failed;
}

/** 40 samples on each question, stopped early and not: the answers must be the same. Returns on how many they aren't. */
async function compareVotes() {
  const { loadModel } = await import('../dist/index.js');
  const { selfConsistency } = await import('../dist/recipes/index.js');
  const model = await loadModel('smollm2-135m', { contextSize: 2048 });
  let different = 0;
  for (const [seed, question] of problems.entries()) {
    const vote = (stopEarly) => selfConsistency(model, { question, samples: 40, seed, stopEarly }).result();
    const [early, full] = [await vote(true), await vote(false)];
    if (early.answer !== full.answer) different++;
    const tokens = ({ report }) => report.usage.generatedTokens;
    console.log(`${question}\n  ${early.answer} after ${tokens(early)} tokens, ${full.answer} after ${tokens(full)}`);
  }
  await model.close();
  return different;
}

let failed = 0;
for (const name of names) failed += name === 'self-consistency' ? await compareVotes() : runExamples(name);
console.log(`\n${failed} failed; files: ${folder}`);
process.exitCode = failed ? 1 : 0;
