// npm run fuzz:gguf -- [--count 2000] [--seed 0] [--file vocabulary.gguf] [--vocabulary]
// Damages a small GGUF file (a tiny one of our own, or --file) and checks each result; --vocabulary also loads what
// passes the header check with the built addon, in child processes. WINNOW_ADDON picks another addon, such as one that
// was built with sanitizers.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { VocabularyChecker } from '../../lib/models/vocabulary.js';
import { fuzzGguf } from '../support/gguf-fuzz.js';
import { tinyGguf } from '../support/gguf-writer.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '0' },
    file: { type: 'string' },
    vocabulary: { type: 'boolean', default: false },
  },
});

const folder = await mkdtemp(path.join(os.tmpdir(), 'winnow-fuzz-'));
const checker = values.vocabulary ? new VocabularyChecker() : undefined;
try {
  const original = values.file ? await readFile(values.file) : tinyGguf();
  const seeds = { count: Number(values.count), firstSeed: Number(values.seed) };
  const start = performance.now();
  const counts = await fuzzGguf({ original, ...seeds, folder, checker });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(JSON.stringify({ ...seeds, seconds, ...counts }, undefined, 2));
} finally {
  checker?.close();
  await rm(folder, { recursive: true, force: true });
}
