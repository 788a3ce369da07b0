// What a GPU takes and what its loss means, on the fake backend: four layers of 100 MiB and an output of 50.
import test from 'ava';
import type { LoadOptions } from '../../lib/options.js';
import { openNative } from './open-native.js';

async function placed(path: string, options: LoadOptions = {}) {
  const lines: string[] = [];
  const model = await openNative(path, { ...options, log: (level, line) => lines.push(`${level}: ${line}`) });
  const { device, gpuLayers } = model.info;
  await model.close();
  return { device, gpuLayers, lines };
}

test("'auto' puts on the device what fits", async (t) => {
  t.like(await placed('fake-placed-gpu-450'), { device: 'gpu', gpuLayers: 5 });
  const { gpuLayers, lines } = await placed('fake-placed-gpu-449');
  t.is(gpuLayers, 4);
  t.deepEqual(lines, ['info: 4 of 5 layers on FAKE0 (a device, 449 MiB free).']);
});

test('a device that is too small for one layer leaves the model on the CPU', async (t) => {
  t.like(await placed('fake-placed-gpu-49'), { device: 'cpu', gpuLayers: 0 });
});

test("'max' and a count are refused where they don't fit, with what would", async (t) => {
  t.like(await placed('fake-placed-gpu-450', { gpuLayers: 'max' }), { gpuLayers: 5 });
  t.like(await placed('fake-placed-gpu-450', { gpuLayers: 2 }), { gpuLayers: 2 });
  for (const gpuLayers of ['max', 4] as const) {
    await t.throwsAsync(placed('fake-placed-gpu-250', { gpuLayers }), {
      code: 'ERR_OUT_OF_MEMORY',
      message: /Load with gpuLayers: 3, or with smaller cacheTokens/,
    });
  }
});

test('without a device the CPU takes all layers, and one line says so', async (t) => {
  for (const [gpuLayers, level] of [
    ['auto', 'info'],
    ['max', 'warn'],
    [7, 'warn'],
  ] as const) {
    const { device, lines } = await placed('fake-placed', { gpuLayers });
    t.is(device, 'cpu');
    t.deepEqual(lines, [`${level}: No GPU that this build can use: the model runs on the CPU.`]);
  }
  t.deepEqual((await placed('fake-placed', { gpuLayers: 0 })).lines, []);
});

test('a device that fails ends every request with a code, now and later; the model still closes', async (t) => {
  const model = await openNative('fake-gpu-1000-lost-at-3');
  const ask = () => model.generate({ prompt: 'x', maxTokens: 20, temperature: 0, ignoreEos: true }).result();
  const ends = await Promise.allSettled([ask(), ask(), ask()]);
  for (const end of ends) t.like(end, { status: 'rejected', reason: { code: 'ERR_DEVICE_LOST' } });
  await t.throwsAsync(ask(), { code: 'ERR_DEVICE_LOST' });
  t.is(model.stats().running, 0);
  await model.close();
});
