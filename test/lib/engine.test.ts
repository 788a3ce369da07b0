import test from 'ava';
import { EngineError, OptionError } from '../../lib/errors.js';
import { fakeNative } from '../support/fake-native.js';
import { openFake, settle } from '../support/open-fake.js';
import { openModel } from '../../lib/model.js';
import { resolveLoadOptions } from '../../lib/options.js';

test('options go down once, with the paths', async (t) => {
  const { native } = await openFake({}, { contextSize: 512 });
  t.is(native.opened.length, 1);
  t.like(native.opened[0], { paths: ['fake.gguf'], contextSize: 512 });
});

test('lines and the progress of loading reach their options', async (t) => {
  const lines: string[] = [];
  const progress: unknown[] = [];
  await openFake(
    {},
    { log: (level, line) => lines.push(`${level}: ${line}`), onProgress: (step) => progress.push(step) },
  );
  t.deepEqual(lines, ['info: loading']);
  t.deepEqual(progress, [{ phase: 'load', loaded: 0.5, total: 1 }]);
});

test('a failed load rejects with the native code', async (t) => {
  const openError = Object.assign(new Error('no memory'), { code: 'ERR_MODEL_LOAD' });
  await t.throwsAsync(openFake({ openError }), {
    instanceOf: EngineError,
    code: 'ERR_MODEL_LOAD',
    message: 'no memory',
  });
});

test('loading that is given up rejects with the reason and closes what it has opened', async (t) => {
  const native = fakeNative();
  const controller = new AbortController();
  const loading = openModel(native, ['fake.gguf'], resolveLoadOptions({ signal: controller.signal }));
  controller.abort();
  await t.throwsAsync(loading, { any: true, name: 'AbortError' });
  t.deepEqual(native.closed, [false]);
});

test('32 requests at once take one native call each and one callback per step', async (t) => {
  const { native, model } = await openFake();
  const before = native.callbacks;
  await Promise.all(Array.from({ length: 32 }, (_, index) => model.generate({ prompt: `number ${index}` }).result()));
  t.is(native.submitted.length, 32);
  t.is(native.callbacks - before, native.steps);
  t.true(native.steps <= 6); // 3 tokens, the end, the finish.
});

test('close() fails open requests at once and closes the engine once', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const generation = model.generate({ prompt: 'x' });
  await settle();
  await model.close();
  await model.close();
  await t.throwsAsync(generation.result(), { code: 'ERR_MODEL_CLOSED' });
  t.deepEqual(native.closed, [false]);
});

test('close({ drain: true }) lets open requests end and takes no new ones', async (t) => {
  const { native, model } = await openFake();
  const generation = model.generate({ prompt: 'x' });
  const closing = model.close({ drain: true });
  await t.throwsAsync(model.generate({ prompt: 'y' }).result(), { code: 'ERR_MODEL_CLOSED' });
  await closing;
  t.is(await generation.text(), 'Hello world!');
  t.deepEqual(native.closed, [true]);
});

test('close({ drain: true }) waits for a request whose template is being filled', async (t) => {
  const { model } = await openFake();
  const generation = model.generate({ messages: [{ role: 'user', content: 'Hi' }] });
  await model.close({ drain: true });
  t.is(await generation.text(), 'Hello world!');
});

test('close() ends a drain that is under way', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const generation = model.generate({ prompt: 'x' });
  await settle();
  const draining = model.close({ drain: true });
  await model.close();
  await draining;
  await t.throwsAsync(generation.result(), { code: 'ERR_MODEL_CLOSED' });
  t.is(native.closed.length, 1);
});

test('nothing can be asked of a closed model', async (t) => {
  const { model } = await openFake();
  const prefix = await model.prefill({ prompt: 'x' });
  await model.close();
  const closed = { code: 'ERR_MODEL_CLOSED' };
  await t.throwsAsync(model.generate({ prompt: 'x' }).result(), closed);
  await t.throwsAsync(model.prefill({ prompt: 'x' }), closed);
  await t.throwsAsync(model.classify({ prompt: 'x' }, { q: { type: 'boolean', instructions: 'x' } }), closed);
  await t.throwsAsync(model.logLikelihood({ prompt: 'x' }, ['y']), closed);
  await t.throwsAsync(model.applyChatTemplate([{ role: 'user', content: 'x' }]), closed);
  t.throws(() => model.tokenize('x'), closed);
  t.throws(() => model.detokenize([5]), closed);
  t.throws(() => model.stats(), closed);
  await t.throwsAsync(prefix.generate().result(), closed);
  await t.throwsAsync(prefix.fork(), closed);
  await t.notThrowsAsync(prefix.close());
});

test('a model disposes itself', async (t) => {
  const { native, model } = await openFake();
  {
    await using _ = model;
  }
  t.deepEqual(native.closed, [false]);
});

test('close() checks its options', async (t) => {
  const { model } = await openFake();
  await t.throwsAsync(model.close({ drian: true } as never), { instanceOf: OptionError, message: /drain/ });
});

test.serial('a log hook that throws is an uncaught exception and does not stop the batch', async (t) => {
  const own = new Error('mine');
  const { native, model } = await openFake(
    {},
    {
      log: (_level, line) => {
        if (line === 'bad') throw own;
      },
    },
  );
  const caught = new Promise((resolve) => {
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => {
      for (const listener of others) process.on('uncaughtException', listener);
      resolve(error);
    });
  });
  const generation = model.generate({ prompt: 'x' });
  native.emit([{ type: 'log', level: 'warn', line: 'bad' }]);
  t.is(await caught, own);
  t.is(await generation.text(), 'Hello world!');
});
