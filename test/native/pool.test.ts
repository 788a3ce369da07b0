// The pool on the real glue and engine, with the fake backend behind them.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { createPool } from '../../lib/pool/index.js';
import type { PoolOptions } from '../../lib/pool/index.js';
import { tinyGguf } from '../support/gguf-writer.js';
import { collect } from '../support/open-fake.js';
import type { Asked } from '../support/pool-work.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const module = new URL('../support/pool-work.js', import.meta.url);
const load = { contextSize: 512, cacheTokens: 8192 } as const;

/** `name` says how the fake behaves: see test/support/fake_backend.h. */
async function openPool<Item, Value>(t: ExecutionContext, name: string, options: Partial<PoolOptions> = {}) {
  const folder = await temporaryFolder(t);
  process.env.WINNOW_HOME = folder;
  const model = path.join(folder, `${name}.gguf`);
  await writeFile(model, tinyGguf());
  const pool = await createPool<Item, Value>({ model, load, module, ...options });
  t.teardown(() => pool.close());
  return pool;
}

const asked = (count: number): Asked[] => Array.from({ length: count }, (_, i) => ({ prompt: `Item ${i} is` }));

test.serial('4 workers × 32 requests give the texts of 128 from the main thread, in one batch', async (t) => {
  const pool = await openPool<Asked, string>(t, 'fake-delay-4', { export: 'answer', threads: 4, concurrency: 32 });
  const texts = await Promise.all(
    asked(128).map(({ prompt }) =>
      pool.model.generate({ prompt, maxTokens: 8, temperature: 0, ignoreEos: true }).text(),
    ),
  );
  await collect(pool.map(asked(128))); // The workers have started.
  const before = pool.model.stats();
  const results = await collect(pool.map(asked(128)));
  const after = pool.model.stats();
  t.deepEqual(
    results.map(({ value }) => value),
    texts,
  );
  t.deepEqual(
    results.map(({ index }) => index),
    [...texts.keys()],
  );
  const batch = (after.generatedTokens - before.generatedTokens) / (after.steps - before.steps);
  t.true(batch > 16, `${batch} rows in a step`);
});

test.serial('workers that die drop their items; the others, and what comes later, are answered', async (t) => {
  const pool = await openPool<Asked, string>(t, 'fake-delay-1', { export: 'answer', threads: 3, concurrency: 4 });
  const items = asked(60).map((item, index) => ({ ...item, dies: index % 3 === 0 }));
  const results = await collect(pool.map(items, { ordered: false }));
  t.is(results.length, 60);
  for (const { error } of results) if (error) t.is((error as { code?: string }).code, 'ERR_WORKER_DIED');
  t.true(results.filter(({ error }) => error).length >= 20);
  t.is(typeof (await pool.run({ prompt: 'afterwards' })), 'string');
  const { running, pinnedCells, usedCells, cachedCells } = pool.model.stats();
  t.deepEqual([running, pinnedCells, usedCells - cachedCells], [0, 0, 0]);
});

test.serial('what the function throws keeps name, message and code, and is the result of its item only', async (t) => {
  const pool = await openPool<string, string>(t, 'fake', { export: 'describe' });
  const [first, second, third] = await collect(pool.map(['a', 'throw', 'function']));
  t.is(first.value, '0: a');
  t.like(second.error, { name: 'RangeError', message: 'thrown on purpose', code: 'ERR_OF_MINE' });
  t.like(third.error, { code: 'ERR_OPTION_VALUE' });
  t.is(await pool.run('b'), '0: b');
  await t.throwsAsync(pool.run('throw'), { code: 'ERR_OF_MINE' });
  const unclonable = await collect(pool.map([(() => 1) as unknown as string]));
  t.like(unclonable[0].error, { code: 'ERR_OPTION_VALUE' });
});

test.serial('a signal ends map() and run() at once, and the pool goes on', async (t) => {
  const pool = await openPool<string, string>(t, 'fake', { export: 'describe', threads: 1 });
  await pool.run('warm');
  const controller = new AbortController();
  const reason = new Error('enough');
  const results = collect(pool.map(['wait', 'a'], { signal: controller.signal }));
  const single = pool.run('wait', { signal: controller.signal });
  await delay(20);
  controller.abort(reason);
  t.is(await t.throwsAsync(results), reason);
  t.is(await t.throwsAsync(single), reason);
  t.is(await pool.run('next'), '0: next');
});

test.serial('a function that is not there is an error of every item; wrong options throw', async (t) => {
  const pool = await openPool<string, string>(t, 'fake', { export: 'notAFunction' });
  await t.throwsAsync(pool.run('a'), { message: /must export a function named notAFunction/ });
  await t.throwsAsync(createPool({ model: 'x', module, threads: 0 }), { code: 'ERR_OPTION_VALUE' });
  await t.throwsAsync(createPool({ model: 'x', module, load: { log: () => {} } as never }), { message: /load\.log/ });
  await t.throwsAsync(createPool({ model: 'x', module, thread: 2 } as never), { message: /Did you mean threads/ });
});

test.serial('closing ends what runs; a closed pool refuses', async (t) => {
  const pool = await openPool<string, string>(t, 'fake', { export: 'describe', threads: 1 });
  await pool.run('warm');
  const waiting = pool.run('wait');
  await pool.close();
  await t.throwsAsync(waiting, { code: 'ERR_POOL_CLOSED' });
  await t.throwsAsync(pool.run('a'), { code: 'ERR_POOL_CLOSED' });
  t.throws(() => pool.map(['a']), { code: 'ERR_POOL_CLOSED' });
  await pool.close();
});
