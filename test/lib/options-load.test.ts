import test from 'ava';
import { OptionError } from '../../lib/errors.js';
import type { LoadOptions } from '../../lib/options.js';
import { resolveLoadOptions } from '../../lib/options.js';

test.serial('without options every value is the engine’s own', (t) => {
  delete process.env['WINNOW_KERNELS'];
  t.deepEqual(resolveLoadOptions().native, {
    contextSize: 0,
    cacheTokens: 0,
    maxSequences: 256,
    maxStepTokens: 512,
    maxQueue: 10_000,
    targetInterTokenMs: 0,
    threads: 0,
    gpuLayers: -1,
    cacheType: 'f16',
    kernels: 'auto',
    hiddenLayers: [],
  });
});

test('given values go down as they are', (t) => {
  const { native } = resolveLoadOptions({
    contextSize: 2048,
    cacheTokens: 8192,
    maxSequences: 8,
    maxStepTokens: 64,
    maxQueue: 7,
    targetInterTokenMs: 37.5,
    threads: 3,
    gpuLayers: 12,
    cacheType: 'q8_0',
    kernels: 'ggml',
    hiddenLayers: [3],
  });
  t.deepEqual(native, {
    contextSize: 2048,
    cacheTokens: 8192,
    maxSequences: 8,
    maxStepTokens: 64,
    maxQueue: 7,
    targetInterTokenMs: 37.5,
    threads: 3,
    gpuLayers: 12,
    cacheType: 'q8_0',
    kernels: 'ggml',
    hiddenLayers: [3],
  });
});

test.serial('WINNOW_KERNELS chooses the kernels where the option does not', (t) => {
  process.env['WINNOW_KERNELS'] = 'ggml';
  t.is(resolveLoadOptions().native.kernels, 'ggml');
  t.is(resolveLoadOptions({ kernels: 'auto' }).native.kernels, 'auto');
  process.env['WINNOW_KERNELS'] = 'fast';
  t.throws(() => resolveLoadOptions(), { instanceOf: OptionError, message: /WINNOW_KERNELS.*'auto', 'ggml'.*"fast"/ });
  delete process.env['WINNOW_KERNELS'];
});

const wrong: [keyof LoadOptions, unknown][] = [
  ['targetInterTokenMs', 0],
  ['targetInterTokenMs', -1],
  ['targetInterTokenMs', NaN],
  ['targetInterTokenMs', '50'],
  ['contextSize', 0],
  ['contextSize', -1],
  ['contextSize', 1.5],
  ['contextSize', NaN],
  ['contextSize', '8192'],
  ['contextSize', 2 ** 31],
  ['cacheTokens', 0],
  ['maxSequences', 0],
  ['maxSequences', 257],
  ['maxStepTokens', 0],
  ['threads', 0],
  ['threads', Infinity],
  ['gpuLayers', -1],
  ['gpuLayers', 'all'],
  ['cacheType', 'f64'],
  ['kernels', 'fast'],
  ['chatTemplate', ''],
  ['cacheFolder', 7],
  ['log', 'stderr'],
  ['onProgress', true],
  ['signal', {}],
];

for (const [option, value] of wrong)
  test(`${option}: ${typeof value} ${JSON.stringify(value)} is refused, with the option's name and value`, (t) => {
    const error = t.throws(() => resolveLoadOptions({ [option]: value }), { instanceOf: OptionError });
    t.is(error?.code, 'ERR_OPTION_VALUE');
    t.is(error?.option, option);
    t.is(error?.value, value as never);
    t.true(error?.message.startsWith(`${option} must be `));
  });

test('a misspelt name is told with the one that was meant', (t) => {
  const error = t.throws(() => resolveLoadOptions({ contextsize: 1 } as LoadOptions), { instanceOf: OptionError });
  t.is(error?.code, 'ERR_OPTION_UNKNOWN');
  t.is(error?.message, 'Unknown option contextsize. Did you mean contextSize?');
});

test('a name that resembles none lists what is known', (t) => {
  t.throws(() => resolveLoadOptions({ banana: 1 } as LoadOptions), {
    message: /^Unknown option banana. Known are contextSize, /,
  });
});

test('options that are no object are refused', (t) => {
  for (const options of [null, 'gpu', 3, []])
    t.throws(() => resolveLoadOptions(options as unknown as LoadOptions), { code: 'ERR_OPTION_VALUE' });
});
