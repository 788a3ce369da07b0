// node bench/llama-batched-bench.mjs [--streams 32] [--prompt 128] [--tokens 32] [--threads 2] [--model file]
//
// A cross-check of llama.cpp's figures in the scenario many-streams by its own tool: the same sizes in a unified cache,
// without sampling, text or requests. Installed by `npm run bench:peers -- llama.cpp`.
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { defaultModel, resolveModel } from '../dist/models/index.js';
import { llamaProgram, missingUnless } from './peers.mjs';
import { machine } from './statistics.mjs';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '32' },
    prompt: { type: 'string', default: '128' },
    tokens: { type: 'string', default: '32' },
    threads: { type: 'string', default: '2' },
    model: { type: 'string', default: defaultModel },
  },
});

function readCount(name) {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} must be a positive integer, got '${values[name]}'`);
}

async function measure(program) {
  const [streams, prompt, tokens, threads] = ['streams', 'prompt', 'tokens', 'threads'].map(readCount);
  const file = (await resolveModel(values.model)).paths[0];
  const sizes = { '-npp': prompt, '-ntg': tokens, '-npl': streams, '-c': streams * (prompt + tokens) };
  const steps = { '-m': file, '-b': 2048, '-ub': 512, '-t': threads, '-tb': threads };
  const flags = Object.entries({ ...sizes, ...steps }).flat();
  const kind = ['--kv-unified', '-fa', 'on', '-ngl', '0', '--output-format', 'jsonl'];
  const io = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }; // A failure's message has its standard error.
  const output = execFileSync(program, [...flags.map(String), ...kind], io);
  return JSON.parse(output.split('\n').find((line) => line.startsWith('{')));
}

const program = llamaProgram('llama-batched-bench');
const missing = missingUnless(program, 'llama.cpp');
if (missing) {
  console.error(`llama-batched-bench is ${missing}`);
  process.exitCode = 1;
} else {
  try {
    const { t, t_pp, t_tg } = await measure(program);
    console.log(`${values.streams} × (${values.prompt} + ${values.tokens}) on ${machine()}`);
    console.log(`  ${t.toFixed(2)} s: prompts ${t_pp.toFixed(2)}, generation ${t_tg.toFixed(2)}`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
