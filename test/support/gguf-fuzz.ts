// Damaged GGUF files through the header check and, where they pass it, through llama.cpp's vocabulary loader in child
// processes. Whatever happens, it is counted and this process lives.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseGgufHeader } from '../../lib/models/gguf.js';
import { GgufError } from '../../lib/models/gguf-reader.js';
import type { VocabularyChecker } from '../../lib/models/vocabulary.js';
import { mutate } from './gguf-mutations.js';

export interface FuzzOptions {
  original: Buffer;
  count: number;
  firstSeed: number;
  /** Where files are written that the header check lets through. */
  folder: string;
  /** Without it only headers are checked. */
  checker?: VocabularyChecker;
}

export interface FuzzCounts {
  refusedByHeader: number;
  refusedByVocabulary: number;
  loaded: number;
  /** Seeds of the files that a child process died of. */
  deaths: { seed: number; reason: string }[];
}

function passesHeaderCheck(bytes: Buffer): boolean {
  try {
    return parseGgufHeader(bytes, bytes.length) !== undefined;
  } catch (error) {
    if (error instanceof GgufError) return false;
    throw error;
  }
}

export async function fuzzGguf({ original, count, firstSeed, folder, checker }: FuzzOptions): Promise<FuzzCounts> {
  const counts: FuzzCounts = { refusedByHeader: 0, refusedByVocabulary: 0, loaded: 0, deaths: [] };
  const headerBytes = parseGgufHeader(original, original.length)?.dataOffset ?? original.length;
  const file = path.join(folder, 'damaged.gguf');
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const bytes = mutate(original, headerBytes, seed);
    if (!passesHeaderCheck(bytes)) {
      counts.refusedByHeader++;
      continue;
    }
    if (!checker) continue;
    await writeFile(file, bytes);
    const verdict = await checker.check(file);
    if (verdict.loaded) counts.loaded++;
    else if (verdict.died) counts.deaths.push({ seed, reason: verdict.reason });
    else counts.refusedByVocabulary++;
  }
  return counts;
}
