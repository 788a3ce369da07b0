// npm run bench:rows [-- --rows 1000000]      rows per second and peak memory of `winnow score` on the fake backend
//
// What is measured is the pipeline: the backend computes nothing. Rows are 200 bytes long: an id, one of 16 contexts, one
// continuation and a note that nobody reads. WINNOW_ADDON: an addon with the fake backend instead of an optimised one.
import { spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { benchAddonFile, inRoot } from '../scripts/lib/paths.mjs';
import { buildBenchAddon, buildTests, buildTypescript } from '../scripts/lib/steps.mjs';

const rowBytes = 200;
const pollMs = 100;

function rowText(index) {
  const row = { id: `row-${index}`, context: `Context ${index % 16} is`, continuations: [' a'], note: '' };
  const missing = rowBytes - 1 - JSON.stringify(row).length;
  return JSON.stringify({ ...row, note: 'x'.repeat(missing) });
}

async function writeRows(file, count) {
  const stream = createWriteStream(file);
  const page = 1000;
  for (let begin = 0; begin < count; begin += page) {
    const lines = Array.from({ length: Math.min(page, count - begin) }, (_, index) => `${rowText(begin + index)}\n`);
    if (!stream.write(lines.join(''))) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
}

/** Bytes that were ever resident; undefined where nobody tells, or the process has ended. */
function peakOf(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
  } catch {
    return undefined;
  }
}

async function score(folder, model, addon) {
  const files = ['--input', path.join(folder, 'rows.jsonl'), '--output', path.join(folder, 'scores.jsonl')];
  const args = [inRoot('dist', 'cli', 'main.js'), 'score', ...files, '--model', model, '--json'];
  const env = { ...process.env, WINNOW_ADDON: addon, WINNOW_HOME: folder };
  const start = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  let peakBytes;
  const timer = setInterval(() => (peakBytes = peakOf(child.pid) ?? peakBytes), pollMs);
  const [code] = await once(child, 'close');
  clearInterval(timer);
  if (code !== 0) throw new Error(`winnow score ended with ${code}`);
  return { ...JSON.parse(output), seconds: (performance.now() - start) / 1000, peakBytes };
}

const { rows: count } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } }).values;
const addon = process.env.WINNOW_ADDON ?? benchAddonFile;
if (addon === benchAddonFile) for (const build of [buildTypescript, buildTests, buildBenchAddon]) await build();
const folder = await mkdtemp(path.join(os.tmpdir(), 'winnow-million-'));
try {
  const model = path.join(folder, 'fake.gguf');
  const { tinyGguf } = await import('../build/test/test/support/gguf-writer.js');
  await writeFile(model, tinyGguf());
  await writeRows(path.join(folder, 'rows.jsonl'), Number(count));
  const inputBytes = (await stat(path.join(folder, 'rows.jsonl'))).size;
  const { rows, errors, seconds, peakBytes } = await score(folder, model, addon);
  console.log(JSON.stringify({ rows, errors, inputBytes, seconds, rowsPerSecond: rows / seconds, peakBytes }));
} finally {
  await rm(folder, { recursive: true, force: true });
}
