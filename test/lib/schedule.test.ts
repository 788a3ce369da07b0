import test from 'ava';
import { OptionError, QueueFullError, TimeoutError } from '../../lib/errors.js';
import { collect, openFake } from '../support/open-fake.js';

test('timeout, priority and namespace go down with every kind of request', async (t) => {
  const { native, model } = await openFake();
  const how = { timeoutMs: 500, priority: 2.5, namespace: 'tenant' };
  const question = { ok: { type: 'boolean', instructions: 'OK?' } } as const;
  await model.generate({ prompt: 'x', ...how }).result();
  await model.classify({ messages: [{ role: 'user', content: 'x' }], ...how }, question);
  await model.logLikelihood({ prompt: 'x', ...how }, [' y']);
  await model.prefill({ prompt: 'x', ...how });
  t.is(native.submitted.length, 4);
  for (const request of native.submitted) t.like(request, how);
});

test('what is not given is no timeout, priority 0 and the namespace that all share', async (t) => {
  const { native, model } = await openFake();
  await model.generate({ prompt: 'x' }).result();
  t.like(native.submitted[0], { timeoutMs: 0, priority: 0, namespace: '' });
});

test('requests on a prefix have timeout and priority; the namespace is the prefix’s', async (t) => {
  const { native, model } = await openFake();
  const prefix = await model.prefill({ prompt: 'x', namespace: 'tenant' });
  await prefix.generate({ timeoutMs: 7, priority: -1 }).result();
  await prefix.logLikelihood([' y'], { timeoutMs: 7, priority: -1 });
  const fork = await prefix.fork({ timeoutMs: 7, priority: -1 });
  for (const request of native.submitted.slice(1)) t.like(request, { timeoutMs: 7, priority: -1 });
  t.throws(() => prefix.generate({ namespace: 'other' } as object), { instanceOf: OptionError, message: /namespace/ });
  await fork.close();
});

test('values that can’t be right are refused', async (t) => {
  const { model } = await openFake();
  const wrong = [
    { timeoutMs: 0 },
    { timeoutMs: 1.5 },
    { timeoutMs: Infinity },
    { priority: NaN },
    { priority: 1001 },
    { priority: '1' },
    { namespace: '' },
    { namespace: 'x'.repeat(257) },
    { namespace: 3 },
  ];
  for (const options of wrong)
    t.throws(() => model.generate({ prompt: 'x', ...(options as object) }), {
      instanceOf: OptionError,
      message: new RegExp(`^${Object.keys(options)[0]} must be`),
    });
  await t.throwsAsync(openFake({}, { maxQueue: 0 }), { code: 'ERR_OPTION_VALUE' });
});

test('maxQueue goes down at load, 10,000 by default', async (t) => {
  const { native } = await openFake();
  t.is(native.opened[0].maxQueue, 10_000);
  t.is((await openFake({}, { maxQueue: 3 })).native.opened[0].maxQueue, 3);
});

test('a request whose time is over gives its events first, then a TimeoutError with its facts', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const generation = model.generate({ prompt: 'x', timeoutMs: 50 });
  await new Promise((resolve) => setImmediate(resolve));
  native.step();
  native.emit([
    {
      type: 'error',
      request: 1,
      code: 'ERR_TIMEOUT',
      message: 'too late',
      facts: { timeoutMs: 50, generatedTokens: 1 },
    },
  ]);
  const error = await t.throwsAsync(generation.result(), { instanceOf: TimeoutError, code: 'ERR_TIMEOUT' });
  t.like(error, { timeoutMs: 50, generatedTokens: 1 });
  const seen: string[] = [];
  await t.throwsAsync(
    async () => {
      for await (const event of generation) if (event.type === 'token') seen.push(event.text);
    },
    { instanceOf: TimeoutError },
  );
  t.deepEqual(seen, ['Hello']);
});

test('a full queue refuses at once, with its depth', async (t) => {
  const submitError = Object.assign(new Error('full'), {
    code: 'ERR_QUEUE_FULL',
    facts: { depth: 8, maxQueue: 8 },
  });
  const { model } = await openFake({ submitError });
  const error = await t.throwsAsync(collect(model.generate({ prompt: 'x' })), { instanceOf: QueueFullError });
  t.like(error, { code: 'ERR_QUEUE_FULL', depth: 8, maxQueue: 8 });
});
