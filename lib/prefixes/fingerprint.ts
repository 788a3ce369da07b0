// What a saved prefix depends on: with any of it changed, its bytes mean something else.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { packageVersion } from '../addon.js';
import type { NativeAdapter, NativeModelInfo } from '../native.js';

export interface Fingerprint {
  /** Of the model's files. */
  model: string;
  architecture: string;
  cacheType: string;
  kernels: string;
  device: string;
  /** Of this package, and with it of llama.cpp and of our kernels. */
  version: string;
  /** Of the adapters' files and their scales; absent = none. */
  adapters?: string;
}

const samples = 64;
const sampleBytes = 65_536;

/** The files are read in samples: their beginning, their end, and 62 places between. */
export async function fingerprintOf(
  paths: readonly string[],
  info: NativeModelInfo,
  adapters: readonly NativeAdapter[],
): Promise<Fingerprint> {
  const hash = createHash('sha256');
  for (const path of paths) await addSamples(hash, path);
  const { architecture, cacheType, kernels, device } = info;
  const model = { model: hash.digest('hex'), architecture, cacheType, kernels, device, version: packageVersion() };
  return adapters.length === 0 ? model : { ...model, adapters: await adaptersPrint(adapters) };
}

/** Wherever the files lie and in whatever order they are named. */
async function adaptersPrint(adapters: readonly NativeAdapter[]): Promise<string> {
  const prints = adapters.map(async ({ path, scale }) => {
    const hash = createHash('sha256');
    await addSamples(hash, path);
    return `${hash.digest('hex')} x ${scale}`;
  });
  return (await Promise.all(prints)).sort().join(', ');
}

async function addSamples(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    hash.update(`${size}\n`);
    const last = Math.max(0, size - sampleBytes);
    for (let index = 0; index < samples; index++)
      hash.update(await readSample(file, Math.floor((last * index) / (samples - 1))));
  } finally {
    await file.close();
  }
}

async function readSample(file: FileHandle, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sampleBytes), 0, sampleBytes, position);
  return buffer.subarray(0, bytesRead);
}

/** The first field that differs; undefined = none. */
export function differenceOf(found: Fingerprint, expected: Fingerprint): keyof Fingerprint | undefined {
  const fields = [...Object.keys(expected), 'adapters'] as (keyof Fingerprint)[];
  return fields.find((field) => found[field] !== expected[field]);
}
