// llama.cpp's own measure of a batch: no sampling, no text, no requests. Built by bench/build-peers.mjs.
import { execFileSync } from 'node:child_process';
import { readWorkload, report } from './workload.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';

const { file, threads, count, promptTokens, maxTokens } = readWorkload();
const program = inRoot('build', 'peers', 'bin', 'llama-batched-bench');
const sizes = { '-npp': promptTokens, '-ntg': maxTokens, '-npl': count, '-c': count * (promptTokens + maxTokens) };
const steps = { '-b': 2048, '-ub': 512, '-t': threads, '-tb': threads };
const flags = Object.entries({ '-m': file, ...sizes, ...steps })
  .flat()
  .map(String);
const kind = ['--kv-unified', '-fa', 'on', '-ngl', '0', '--output-format', 'jsonl'];
const output = execFileSync(program, [...flags, ...kind], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
const line = output.split('\n').find((text) => text.startsWith('{'));
report({ seconds: JSON.parse(line).t });
