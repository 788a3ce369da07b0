// What packed weights occupy, against llama.cpp's mapped file.
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { defaultModelFile, inRoot } from './helpers/files.js';

interface Memory {
  kernels: string;
  sizeBytes: number;
  anonymous: number;
  mapped: number;
}

function measure(file: string, kernels: string): Memory {
  const program = inRoot('build', 'test', 'test', 'model', 'children', 'print-memory.js');
  return JSON.parse(execFileSync(process.execPath, [program, file, kernels], { encoding: 'utf8' })) as Memory;
}

const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip;

onLinux('packed weights take at most 1.25 times the tensors of the file, and no copy of the file stays', async (t) => {
  const file = await defaultModelFile();
  const ours = measure(file, 'auto');
  const mapped = measure(file, 'ggml'); // Its weights are pages of the file: the rest is the same as ours.
  const weights = ours.anonymous - mapped.anonymous;
  t.log(`${ours.kernels}: ${(weights / ours.sizeBytes).toFixed(3)} times ${(ours.sizeBytes / 1e6).toFixed(1)} MB`);
  if (ours.kernels === 'ggml') return t.pass('no kernels of ours here');
  t.true(weights <= 1.25 * ours.sizeBytes, `${weights} bytes for ${ours.sizeBytes}`);
  t.true(mapped.mapped - ours.mapped > 0.8 * ours.sizeBytes, 'the file is not mapped');
});
