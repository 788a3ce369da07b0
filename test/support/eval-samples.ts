// Small data of our own writing for every evaluation.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { packageRoot } from '../../lib/addon.js';
import type { EvalItem, EvalTaskName } from '../../lib/eval/index.js';

export const evalSample = (task: EvalTaskName): string =>
  path.join(packageRoot(), 'test', 'samples', 'eval', `${task}.jsonl`);

export async function readSample(task: EvalTaskName): Promise<EvalItem[]> {
  const text = await readFile(evalSample(task), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as EvalItem);
}
