import test from 'ava';
import { OptionError } from '../../lib/errors.js';
import { collect, openFake } from '../support/open-fake.js';

const info = { hiddenLayers: [2, 5], embeddingSize: 3 };
const probe = { layer: 2, weights: [1, 2, 3] };

test('probes go down as they are, and their values come with each token', async (t) => {
  const { native, model } = await openFake({ info });
  const weights = Float64Array.of(0.5, 0, 1);
  const stream = model.generate({ prompt: 'x', probes: { calm: probe, odd: { layer: 5, weights, bias: 0.25 } } });
  const [first] = await collect(stream);
  t.deepEqual(native.submitted[0].probes, [
    { name: 'calm', layer: 2, weights: Float32Array.of(1, 2, 3), bias: 0 },
    { name: 'odd', layer: 5, weights: Float32Array.of(0.5, 0, 1), bias: 0.25 },
  ]);
  t.like(first, { type: 'token', probes: { calm: 0, odd: 0.25 } });
});

test('without probes, tokens bring none', async (t) => {
  const { native, model } = await openFake();
  const [first] = await collect(model.generate({ prompt: 'x' }));
  t.false('probes' in native.submitted[0]);
  t.false('probes' in first);
});

test('probes are checked', async (t) => {
  const { model } = await openFake({ info });
  const refused = (probes: object, option: string) =>
    t.like(
      t.throws(() => model.generate({ prompt: 'x', probes: probes as never })),
      { option },
    );
  refused({}, 'probes');
  refused({ a: { ...probe, layer: -1 } }, 'probes.a.layer');
  refused({ a: { layer: 2 } }, 'probes.a.weights');
  refused({ a: { ...probe, weights: [1, NaN, 2] } }, 'probes.a.weights[1]');
  refused({ a: { ...probe, bias: '0' } }, 'probes.a.bias');
  refused({ a: { ...probe, offset: 1 } }, 'probes.a.offset');
});

test('probes that the loaded model cannot serve are refused with what to do', async (t) => {
  const { model } = await openFake({ info });
  const refused = async (probes: object, message: RegExp) => {
    const stream = model.generate({ prompt: 'x', probes: probes as never });
    await t.throwsAsync(stream.result(), { instanceOf: OptionError, message });
  };
  await refused({ a: { ...probe, layer: 3 } }, /hiddenLayers \[2, 5\]/);
  await refused({ a: { ...probe, weights: [1, 2] } }, /must be 3 numbers/);
});

test('hiddenLayers go down sorted, each once', async (t) => {
  const { native } = await openFake({}, { hiddenLayers: [5, 2, 5] });
  t.deepEqual(native.opened[0].hiddenLayers, [2, 5]);
  t.like(await t.throwsAsync(openFake({}, { hiddenLayers: [-1] })), { option: 'hiddenLayers[0]' });
});
