// The worker pool on the real engine.
import test from 'ava';
import { createPool } from '../../lib/pool/index.js';
import { collect } from '../support/open-fake.js';
import type { Asked } from '../support/pool-work.js';
import { tinyModelFile } from './helpers/tiny.js';

const timeoutMs = 180_000;
const module = new URL('../support/pool-work.js', import.meta.url);

test.serial('4 workers × 32 requests give the texts of 128 from the main thread, in one batch', async (t) => {
  t.timeout(timeoutMs);
  const load = { contextSize: 256, cacheTokens: 8192, gpuLayers: 0 } as const;
  const model = await tinyModelFile('tiny-llama');
  const pool = await createPool<Asked, string>({ model, load, module, export: 'answer', threads: 4 });
  try {
    const items = Array.from({ length: 128 }, (_, i) => ({ prompt: `Item ${i} is` }));
    const answer = ({ prompt }: Asked) =>
      pool.model.generate({ prompt, maxTokens: 8, temperature: 0, ignoreEos: true }).text();
    const texts = await Promise.all(items.map(answer));
    await collect(pool.map(items)); // The workers have started.
    const before = pool.model.stats();
    const results = await collect(pool.map(items));
    const after = pool.model.stats();
    t.deepEqual(
      results.map(({ value }) => value),
      texts,
    );
    const batch = (after.generatedTokens - before.generatedTokens) / (after.steps - before.steps);
    t.log(`${batch.toFixed(1)} generated tokens in a step`);
    t.true(batch > 16, `${batch} generated tokens in a step`);
    t.is(after.pinnedCells, 0);
  } finally {
    await pool.close();
  }
});
