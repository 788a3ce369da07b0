// Cancellation and overload on a real model: whatever happens, the engine is afterwards as it was before.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ClosedError, loadModel } from '../../lib/index.js';
import type { Model } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { Random } from './helpers/random.js';
import { openTinyLlama } from './helpers/tiny.js';
import { until } from './helpers/until.js';
import { makeText } from './helpers/words.js';

const megabyte = 2 ** 20;
const rss = () => process.memoryUsage().rss / megabyte;

/** Every request is gone, and with it every cell and sequence but what is kept for reuse. */
async function assertBaseline(t: ExecutionContext, model: Model): Promise<void> {
  const isIdle = () => {
    const { running, waiting, pinnedCells, usedCells, cachedCells, usedSequences, cachedSequences } = model.stats();
    return running + waiting + pinnedCells === 0 && usedCells === cachedCells && usedSequences === cachedSequences;
  };
  await t.notThrowsAsync(until(isIdle, () => `the engine is idle: ${JSON.stringify(model.stats())}`));
}

interface Action {
  signal: AbortSignal;
  random: Random;
}

type Work = (model: Model, action: Action) => Promise<unknown>;

const labels = { type: 'labels', suffix: ' ok', labels: { yes: ' yes', no: ' no' } } as const;

/** Ways to keep the engine busy; each ends when its signal fires. */
const works: Work[] = [
  (model, { signal, random }) =>
    model.generate({ prompt: makeText(1 + random.integer(50), 1), maxTokens: 12, ignoreEos: true, signal }).result(),
  async (model, { signal }) => {
    const stream = model.generate({ prompt: 'The sea', maxTokens: 12, ignoreEos: true, signal });
    for await (const event of stream) if (event.type === 'finish') return event;
    return undefined;
  },
  (model, { signal }) => model.classify({ prompt: 'It rains.', signal }, { ok: labels }),
  (model, { signal }) => model.logLikelihood({ prompt: 'The moon is', signal }, [' round', ' a stone', ' far away']),
  async (model, { signal }) => {
    const prefix = await model.prefill({ prompt: 'A long way from', signal });
    try {
      const turn = { candidates: 3, maxTokens: 4, attributes: { ok: labels }, rank: () => 1, signal };
      return await prefix.winnow(turn).result();
    } finally {
      await prefix.close();
    }
  },
];

/**
 * Fires at a random moment: before the request, in the same turn of the event loop, or when others have got a token. Some
 * count turns of the loop, some milliseconds, and few are likelier than many: a fast engine is not always done before.
 */
function abortAtRandom(controller: AbortController, random: Random, reason: Error): void {
  const turns = Math.floor(40 ** random.next()) - 1;
  if (turns === 0) return controller.abort(reason);
  const later = random.integer(2) === 0 ? setImmediate : (next: () => void) => setTimeout(next, 1);
  let left = turns;
  const wait = (): void => {
    if (--left === 0) controller.abort(reason);
    else later(wait);
  };
  wait();
}

async function runAborted(model: Model, random: Random): Promise<'finished' | 'aborted'> {
  const controller = new AbortController();
  const reason = new Error('aborted on purpose');
  const work = random.pick(works);
  abortAtRandom(controller, random, reason);
  try {
    await work(model, { signal: controller.signal, random });
    return 'finished';
  } catch (error) {
    if (error !== reason) throw error;
    return 'aborted';
  }
}

async function runManyAborted(model: Model, count: number, atOnce: number, random: Random): Promise<number> {
  let started = 0;
  let aborted = 0;
  const runInTurn = async () => {
    while (started++ < count) if ((await runAborted(model, random)) === 'aborted') aborted++;
  };
  await Promise.all(Array.from({ length: atOnce }, runInTurn));
  return aborted;
}

async function assertSurvivesAborts(t: ExecutionContext, model: Model, count: number): Promise<void> {
  const random = new Random(1);
  await runManyAborted(model, count / 2, 16, random);
  await assertBaseline(t, model);
  const before = rss();
  const aborted = await runManyAborted(model, count / 2, 16, random);
  t.true(aborted > count / 8, `${aborted} of ${count / 2} were aborted`);
  await assertBaseline(t, model);
  t.log(`memory: ${before.toFixed(0)} MB, ${count / 2} requests later ${rss().toFixed(0)} MB; ${aborted} aborted`);
  t.true(rss() - before < 32, `${rss() - before} MB more`);
}

test.serial('1,000 requests aborted at random moments leave no cell, no sequence and no open promise', async (t) => {
  t.timeout(240_000);
  const model = await loadModel(defaultModel, { contextSize: 512, maxSequences: 64, gpuLayers: 0 });
  try {
    await assertSurvivesAborts(t, model, 1000);
    const { tokens } = await model.generate({ prompt: 'Still here', maxTokens: 4, ignoreEos: true }).result();
    t.is(tokens, 4);
  } finally {
    await model.close();
  }
});

test.serial('4,000 aborted requests leave no memory behind', async (t) => {
  t.timeout(240_000);
  const model = await openTinyLlama({ maxSequences: 32, cacheTokens: 2048, contextSize: 256 });
  try {
    await assertSurvivesAborts(t, model, 4000);
  } finally {
    await model.close();
  }
});

test.serial('3,000 requests at once all get their answers, through few sequences', async (t) => {
  t.timeout(240_000);
  const model = await openTinyLlama({ maxSequences: 16, cacheTokens: 1024, contextSize: 128 });
  try {
    const random = new Random(2);
    const ask = (seed: number) =>
      model.generate({ prompt: makeText(1 + random.integer(99), 1), maxTokens: 3, seed }).result();
    const results = await Promise.all(Array.from({ length: 3000 }, (_, seed) => ask(seed)));
    t.is(results.filter(({ tokens }) => tokens >= 1 && tokens <= 3).length, 3000);
    t.is(model.stats().submittedRequests, 3000);
    await assertBaseline(t, model);
  } finally {
    await model.close();
  }
});

test.serial('closing a model in mid-stream fails every open request, and twice is fine', async (t) => {
  const model = await openTinyLlama();
  const streams = Array.from({ length: 20 }, (_, seed) =>
    model.generate({ prompt: 'and then', maxTokens: 400, ignoreEos: true, seed }),
  );
  let seen = 0;
  const reading = streams.map(async (stream) => {
    for await (const event of stream) if (event.type === 'token' && ++seen === 40) void model.close();
  });
  for (const read of reading) await t.throwsAsync(read, { instanceOf: ClosedError, code: 'ERR_MODEL_CLOSED' });
  for (const stream of streams) await t.throwsAsync(stream.result(), { code: 'ERR_MODEL_CLOSED' });
  await model.close();
  await t.throwsAsync(model.generate({ prompt: 'x' }).result(), { code: 'ERR_MODEL_CLOSED' });
});

test.serial('a draining close lets open requests end first', async (t) => {
  const model = await openTinyLlama();
  const streams = Array.from({ length: 8 }, (_, seed) =>
    model.generate({ prompt: 'and then', maxTokens: 50, ignoreEos: true, seed }),
  );
  const closed = model.close({ drain: true });
  await t.throwsAsync(model.generate({ prompt: 'x' }).result(), { code: 'ERR_MODEL_CLOSED' });
  const results = await Promise.all(streams.map((stream) => stream.result()));
  t.true(results.every(({ tokens }) => tokens === 50));
  await closed;
});

test.serial('leaving the loop early stops the request within a step or two', async (t) => {
  const model = await openTinyLlama();
  try {
    for await (const _ of model.generate({ prompt: 'and then', maxTokens: 400, ignoreEos: true })) break;
    await assertBaseline(t, model);
    t.true(model.stats().generatedTokens < 200, `${model.stats().generatedTokens} tokens`);
  } finally {
    await model.close();
  }
});
