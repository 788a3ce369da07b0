import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { AdapterError, CapabilityError, OptionError } from '../../lib/errors.js';
import type { Adapter } from '../../lib/index.js';
import { openModel } from '../../lib/model.js';
import type { NativeModelInfo } from '../../lib/native.js';
import { resolveLoadOptions } from '../../lib/options.js';
import { fakeNative } from '../support/fake-native.js';
import { writeGguf } from '../support/gguf-writer.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const adapterFile = (name: string) => writeGguf({ metadata: { 'general.name': { type: 'string', value: name } } });

/** A model whose file is there, and two files that look like adapters. */
async function open(t: ExecutionContext, info: Partial<NativeModelInfo> = {}) {
  const folder = await temporaryFolder(t);
  const file = (name: string) => path.join(folder, name);
  for (const name of ['a.gguf', 'b.gguf', 'other-model.gguf', 'in-use.gguf'])
    await writeFile(file(name), adapterFile('one'));
  await writeFile(file('text.gguf'), 'no GGUF');
  await writeFile(file('model.gguf'), 'the weights');
  const native = fakeNative({ info });
  const model = await openModel(native, [file('model.gguf')], resolveLoadOptions());
  return { native, model, file, a: file('a.gguf'), b: file('b.gguf') };
}

test('adapters go down by path and float32, sorted, without those that are off', async (t) => {
  const { native, model, a, b, file } = await open(t);
  const adapters = [{ path: b, scale: 0.1 }, { path: a }, { path: file('in-use.gguf'), scale: 0 }];
  await model.generate({ prompt: 'Hi', adapters }).result();
  t.deepEqual(native.submitted[0].adapters, [
    { path: a, scale: 1 },
    { path: b, scale: Math.fround(0.1) },
  ]);
});

test('a request without adapters says nothing of them', async (t) => {
  const { native, model } = await open(t);
  await model.generate({ prompt: 'Hi' }).result();
  t.false('adapters' in native.submitted[0]);
});

test('a file is read once, before the first request that names it, by a relative path too', async (t) => {
  const { native, model, a } = await open(t);
  for (const name of [a, path.relative('.', a), a])
    await model.generate({ prompt: 'Hi', adapters: [{ path: name }] }).result();
  t.deepEqual(native.loadedAdapters, [a]);
  await model.unloadAdapter(path.relative('.', a));
  t.deepEqual(native.unloadedAdapters, [a]);
  await model.loadAdapter(a);
  t.deepEqual(native.loadedAdapters, [a, a]);
});

test('every request of a model takes them', async (t) => {
  const { native, model, a } = await open(t);
  const how = { adapters: [{ path: a }] };
  const question = { type: 'boolean', instructions: 'Is it?' } as const;
  await model.generate({ prompt: 'Hi', ...how }).result();
  await model.beam({ prompt: 'Hi', beams: 1, ...how }).catch(() => {}); // The scripted engine has no beams.
  await model.classify({ prompt: 'Hi', ...how }, { question });
  await model.logLikelihood({ prompt: 'Hi', ...how }, [' there']);
  await model.perplexity('Hello there', how);
  await model.promptLogprobs({ prompt: 'Hello there', ...how });
  await model.prefill({ prompt: 'Hi', ...how });
  t.true(native.submitted.length >= 7);
  for (const { adapters } of native.submitted) t.deepEqual(adapters, [{ path: a, scale: 1 }]);
});

test('what is asked on a prefix has its adapters', async (t) => {
  const { native, model, a, b } = await open(t);
  const own: Adapter[] = [{ path: a, scale: 0.5 }];
  const prefix = await model.prefill({ messages: [{ role: 'user', content: 'Hi' }], adapters: own });
  const question = { type: 'boolean', instructions: 'Is it?', normalization: 'prior' } as const;
  await prefix.generate().result();
  await prefix.generate({ adapters: own }).result();
  await prefix.sample({ count: 2 }).result();
  await prefix.classify({ question });
  await prefix.logLikelihood([' there', 'x']);
  await prefix.winnow({ candidates: 2, attributes: { question }, rank: () => 0 }).result();
  const fork = await prefix.fork();
  await fork.generate().result();
  for (const { adapters } of native.submitted) t.deepEqual(adapters, own);
  for (const adapters of [[], [{ path: a }], [{ path: b, scale: 0.5 }], [...own, { path: b }]]) {
    const error = await t.throwsAsync(prefix.generate({ adapters }).result(), { code: 'ERR_ADAPTER_CONFLICT' });
    t.true(error instanceof AdapterError);
    await t.throwsAsync(fork.classify({ question }, { adapters }), { code: 'ERR_ADAPTER_CONFLICT' });
    await t.throwsAsync(prefix.logLikelihood(['x'], { adapters }), { code: 'ERR_ADAPTER_CONFLICT' });
  }
});

test('content-free priors are asked once per set of adapters', async (t) => {
  const { native, model, a } = await open(t);
  const question = { type: 'boolean', instructions: 'Is it?', normalization: 'prior' } as const;
  const ask = (adapters?: Adapter[]) => model.classify({ prompt: 'Hi', adapters }, { question });
  await ask();
  await ask([{ path: a }]);
  t.is(native.submitted.length, 4);
  await ask();
  await ask([{ path: a }]);
  t.is(native.submitted.length, 6);
});

test('what can be no set of adapters is refused at once', async (t) => {
  const { model, a } = await open(t);
  const wrong: [unknown, RegExp][] = [
    ['a.gguf', /adapters/],
    [[a], /adapters\[0\]/],
    [[{ path: '' }], /adapters\[0\].path/],
    [[{ path: a, scale: NaN }], /adapters\[0\].scale/],
    [[{ path: a, scale: Infinity }], /adapters\[0\].scale/],
    [[{ path: a, scale: 1e39 }], /adapters\[0\].scale/],
    [[{ path: a, weight: 1 }], /adapters\[0\]/],
    [[{ path: a }, { path: a, scale: 2 }], /once/],
    [Array.from({ length: 9 }, (_, i) => ({ path: `${i}.gguf` })), /8/],
  ];
  for (const [adapters, message] of wrong)
    t.throws(() => model.generate({ prompt: 'Hi', adapters: adapters as Adapter[] }), {
      instanceOf: OptionError,
      message,
    });
});

test('a file that is none is refused with its path, and asked for again next time', async (t) => {
  const { native, model, file } = await open(t);
  const codes = {
    'missing.gguf': 'ERR_ADAPTER_NOT_FOUND',
    'text.gguf': 'ERR_ADAPTER_FILE',
    'other-model.gguf': 'ERR_ADAPTER_MISMATCH',
  };
  for (const [name, code] of Object.entries(codes)) {
    const adapters = [{ path: file(name) }];
    const error = await t.throwsAsync<AdapterError>(model.generate({ prompt: 'Hi', adapters }).result(), { code });
    t.true(error instanceof AdapterError);
    t.is(error?.path, file(name));
  }
  t.is(native.submitted.length, 0);
  await writeFile(file('missing.gguf'), adapterFile('one'));
  await model.generate({ prompt: 'Hi', adapters: [{ path: file('missing.gguf') }] }).result();
  await t.throwsAsync(model.unloadAdapter(file('in-use.gguf')), { code: 'ERR_ADAPTER_IN_USE' });
});

test('a model that has no use for adapters says so', async (t) => {
  const { model, a } = await open(t, { maxAdapters: 0 });
  await t.throwsAsync(model.loadAdapter(a), { instanceOf: CapabilityError, code: 'ERR_UNSUPPORTED' });
  const head = await open(t, { classes: 2 });
  const how = { adapters: [{ path: head.a }] };
  await t.throwsAsync(head.model.classifyTexts(['Hi'], how), { instanceOf: CapabilityError, message: /adapters/ });
  const one = await open(t, { maxAdapters: 1 });
  const both = [{ path: one.a }, { path: one.b }];
  await t.throwsAsync(one.model.generate({ prompt: 'Hi', adapters: both }).result(), { message: /1 at a time/ });
});

test('a saved prefix is loaded with the adapters that it was made with, wherever they lie', async (t) => {
  const { model, native, a, b, file } = await open(t);
  const prefix = await model.prefill({ prompt: 'Hi', adapters: [{ path: a, scale: 0.5 }] });
  const saved = file('hi.prefix');
  await prefix.save(saved);
  await writeFile(b, adapterFile('b'));
  for (const adapters of [undefined, [{ path: a }], [{ path: b, scale: 0.5 }]])
    await t.throwsAsync(model.loadPrefix(saved, { adapters }), { code: 'ERR_PREFIX_MISMATCH', message: /adapters/ });
  const copy = file('in-use.gguf'); // The same bytes.
  const loaded = await model.loadPrefix(saved, { adapters: [{ path: copy, scale: 0.5 }] });
  await loaded.generate().result();
  t.deepEqual(native.submitted.at(-1)?.adapters, [{ path: copy, scale: 0.5 }]);
  const plain = await model.prefill({ prompt: 'Hi' });
  await plain.save(saved);
  await t.throwsAsync(model.loadPrefix(saved, { adapters: [{ path: a }] }), { code: 'ERR_PREFIX_MISMATCH' });
  await model.loadPrefix(saved);
});
