// Evaluations on the real engine.
import path from 'node:path';
import test from 'ava';
import type { Evaluation } from '../../lib/eval/index.js';
import { evaluate, evaluateFile } from '../../lib/eval/index.js';
import type { Model } from '../../lib/index.js';
import { loadModel } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import type { EvalTaskName } from '../../lib/options.js';
import { evalTaskNames } from '../../lib/options.js';
import { evalSample, readSample } from '../support/eval-samples.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const timeoutMs = 300_000;
let model: Model;
test.before(async () => {
  model = await loadModel(defaultModel, { contextSize: 2048 });
});
test.after.always(() => model?.close());

const short = { maxTokens: 24 };
/** What even a model of 135 million parameters gets right, or must be so for any. */
const expectations: Partial<Record<EvalTaskName, (t: Evaluation) => boolean>> = {
  'multiple-choice': ({ metrics }) => metrics.accuracy.value! >= 0.6,
  perplexity: ({ metrics }) => metrics.bitsPerByte.value! > 0.5 && metrics.bitsPerByte.value! < 2,
  pairwise: ({ rows }) => rows.some(({ id, winner }) => id === 'w3' && winner === 'tie'),
};

for (const task of evalTaskNames) {
  test.serial(`${task} runs on its sample`, async (t) => {
    t.timeout(timeoutMs);
    const result = await evaluate(model, await readSample(task), { task, ...short });
    t.is(result.errors, 0, JSON.stringify(result.rows.find(({ error }) => error)));
    for (const [name, { value, low, high, count }] of Object.entries(result.metrics))
      if (value !== null && low !== null) t.true(low <= high! && count > 0, name);
    t.log(Object.fromEntries(Object.entries(result.metrics).map(([name, { value }]) => [name, value])));
    t.true(expectations[task]?.(result) ?? true);
  });
}

test.serial('a file gives what a program gets, with batch-invariant kernels to the bit', async (t) => {
  t.timeout(timeoutMs);
  const output = path.join(await temporaryFolder(t), 'result.json');
  const files = { data: evalSample('truthfulqa'), output, load: { contextSize: 2048 } };
  const result = await evaluateFile({ task: 'truthfulqa', model: defaultModel, ...files });
  const { rows, metrics } = await evaluate(model, await readSample('truthfulqa'), { task: 'truthfulqa' });
  if (!model.info.capabilities.batchInvariant) return t.is(result.rows.length, rows.length);
  t.deepEqual(result.rows, rows);
  t.deepEqual(result.metrics, metrics);
});
