// node bench/compare-batched.mjs [--rounds 5] [--threads 2] [--kernels ggml] [--count 32] [--prompt 128] [--tokens 32]
//
// Different requests at once through this package, node-llama-cpp and llama-batched-bench: the same file, threads and
// token ids, a fresh process each, interleaved. Prints a table of medians and one line of JSON.
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { inRoot } from '../scripts/lib/paths.mjs';
import { machine, median, spread } from './statistics.mjs';
import { defaultModelFile } from './model-file.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    count: { type: 'string', default: '32' },
    prompt: { type: 'string', default: '128' },
    tokens: { type: 'string', default: '32' },
    kernels: { type: 'string', default: 'ggml' },
    only: { type: 'string', multiple: true, default: ['winnow', 'node-llama-cpp', 'llama-batched-bench'] },
  },
});

const workload = {
  file: await defaultModelFile(),
  threads: Number(values.threads),
  count: Number(values.count),
  promptTokens: Number(values.prompt),
  maxTokens: Number(values.tokens),
  kernels: values.kernels,
};

function runContender(name) {
  const program = inRoot('bench', 'contenders', `${name}.mjs`);
  const output = execFileSync(process.execPath, [program, JSON.stringify(workload)], { encoding: 'utf8' });
  return JSON.parse(output.trim().split('\n').at(-1));
}

const results = Object.fromEntries(values.only.map((name) => [name, []]));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const name of values.only) {
    const result = runContender(name);
    results[name].push(result);
    console.error(`round ${round + 1}: ${name} ${result.seconds.toFixed(2)} s`);
  }
}

const medians = Object.fromEntries(
  Object.entries(results).map(([name, runs]) => [name, median(runs.map(({ seconds }) => seconds))]),
);
console.log(
  `\n${workload.count} requests at once, ${workload.promptTokens} tokens in, ${workload.maxTokens} out, on ${machine()}`,
);
console.table(
  Object.entries(results).map(([name, runs]) => ({
    contender: name,
    'median s': medians[name].toFixed(2),
    spread: spread(runs.map(({ seconds }) => seconds)),
    'ours ÷ its': medians.winnow ? (medians.winnow / medians[name]).toFixed(3) : '',
  })),
);
console.log(JSON.stringify({ workload, medians, results }));
