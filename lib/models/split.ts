// Models in several files: name-00001-of-00004.gguf and so on.
import path from 'node:path';
import { fileSize } from './cache.js';
import { ModelFileError, ModelSourceError } from './errors.js';
import type { GgufHeader } from './gguf.js';

const maxParts = 1000;

/** The names of all parts, in order, or just the name itself where it doesn't name a part. */
export function partNames(name: string): string[] {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(name);
  if (!match) return [name];
  const [, stem, , countText = ''] = match;
  const count = Math.min(Number(countText), maxParts);
  return Array.from(
    { length: count },
    (_, index) => `${stem}-${String(index + 1).padStart(5, '0')}-of-${countText}.gguf`,
  );
}

/** All parts of the model that `file` is (a part of). Throws where one is missing. */
export async function findParts(file: string): Promise<string[]> {
  const parts = partNames(path.basename(file)).map((name) => path.join(path.dirname(file), name));
  const sizes = await Promise.all(parts.map(fileSize));
  const missing = parts.filter((_, index) => sizes[index] === undefined);
  if (missing.length === 0 && parts.length > 0) return parts;
  throw new ModelSourceError(
    'ERR_MODEL_NOT_FOUND',
    parts.length > 1
      ? `${missing.length} of the ${parts.length} parts of the model are missing: ${missing.slice(0, 3).join(', ')}`
      : `There is no file ${file}.`,
    file,
  );
}

/** The parts must be what their names say: llama.cpp finds the other parts by the names. */
export function checkSplit(paths: string[], headers: GgufHeader[]): void {
  headers.forEach(({ metadata }, index) => {
    const file = paths[index] ?? '';
    const count = Number(metadata.get('split.count') ?? 0);
    if (count > 1 && paths.length === 1) {
      throw new ModelFileError(
        file,
        `it is one of ${count} parts, but its name doesn't end in -00001-of-0000${count}.gguf`,
      );
    }
    if (paths.length === 1) return;
    if (count !== paths.length) {
      throw new ModelFileError(file, `its name says it is one of ${paths.length} parts, its header says ${count}`);
    }
    const number = Number(metadata.get('split.no') ?? -1);
    if (number !== index)
      throw new ModelFileError(file, `its header says it is part ${number + 1}, its name ${index + 1}`);
  });
}
