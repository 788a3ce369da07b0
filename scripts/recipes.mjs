// npm run recipes [-- NAME …]   the published systems in their published sizes, on the default model. Minutes to hours.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inRoot } from './lib/paths.mjs';

const folder = mkdtempSync(path.join(os.tmpdir(), 'winnow-recipes-'));
const facts = ['How much is 135 plus 7721?', 'How deep is Lake Baikal?']; // LaMDA's two kinds of question.

/** Twenty questions with small numbers: 40 samples each, stopped early. */
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
  'self-consistency': problems.map((message) => ['--message', message]),
};
const others =
  'sparrow blenderbot best-of-n ghost-attention aligned-answer constitution preference chain-of-thought least-to-most ' +
  'self-debug in-context compare grade';
const names = process.argv.slice(2).length ? process.argv.slice(2) : [...Object.keys(sizes), ...others.split(' ')];

let failed = 0;
for (const name of names) {
  for (const args of sizes[name] ?? [[]]) {
    console.log(`\n$ winnow recipe ${name} ${args.map((word) => JSON.stringify(word)).join(' ')}`);
    const command = [inRoot('dist', 'cli', 'main.js'), 'recipe', name, '--seed', '1', ...args];
    const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
    if (status !== 0) failed++;
  }
}
console.log(`\n${failed} failed; files: ${folder}`);
process.exitCode = failed ? 1 : 0;
