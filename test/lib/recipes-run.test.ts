import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { fill, loadPrompts, withPrompts } from '../../lib/recipes/prompts.js';
import { mapOrdered, writeJsonLines } from '../../lib/recipes/rows.js';
import { RecipeRun } from '../../lib/recipes/run.js';
import type { RecipeWork } from '../../lib/recipes/work.js';
import { collect, openFake, settle } from '../support/open-fake.js';

type Said = { type: 'said'; text: string };
type Work = RecipeWork<Said>;

const temporaryFile = (name: string) => path.join(mkdtempSync(path.join(tmpdir(), 'winnow-recipes-')), name);

test('a run shows what it does and ends in its result, with the report', async (t) => {
  const { model } = await openFake();
  const run = new RecipeRun(
    async (work: Work) => {
      work.progress('speaking', 0, 1);
      const { text } = await work.generate(model, 'speaking', { prompt: 'Hi' });
      work.emit({ type: 'said', text });
      work.score('hello', { length: text.length });
      work.drop('goodbye', 'not said');
      return { text };
    },
    { seed: 5 },
  );
  const events = await collect(run);
  t.deepEqual(
    events.map(({ type }) => type),
    ['progress', 'said', 'score', 'drop', 'finish'],
  );
  const { text, report } = await run.result();
  t.is(text, 'Hello world!');
  t.is(report.seed, 5);
  t.deepEqual(report.scored, [{ item: 'hello', scores: { length: 12 } }]);
  t.deepEqual(report.dropped, [{ item: 'goodbye', reason: 'not said' }]);
  t.is(report.asked.length, 1);
  t.is(report.usage.generatedTokens, 4);
  t.deepEqual(events.at(-1), { type: 'finish', text, report });
});

test('a seed gives each draw its own seed, whatever was drawn before', async (t) => {
  const { native, model } = await openFake();
  const draw = (stages: string[], seed: number) =>
    new RecipeRun(
      async (work: Work) => {
        for (const stage of stages) await work.generate(model, stage, { prompt: 'Hi' });
        return {};
      },
      { seed },
    ).result();
  await draw(['a', 'b'], 1);
  await draw(['b'], 1);
  await draw(['b'], 2);
  const [a1, b1, again, b2] = native.submitted.map(({ seed }) => seed);
  t.is(b1, again);
  t.is(new Set([a1, b1, b2]).size, 3);
});

test('without a seed one is drawn and reported', async (t) => {
  const { report } = await new RecipeRun(async () => ({})).result();
  t.true(Number.isSafeInteger(report.seed));
});

test('prefixes are pinned until the run ends, also where it fails', async (t) => {
  const { native, model } = await openFake();
  let during = 0;
  const run = new RecipeRun(async (work: Work) => {
    const prefix = await work.prefill(model, 'pin', { prompt: 'Hi' });
    await work.prefill(prefix, 'pin', { prompt: ' there' });
    during = native.openPrefixes.length;
    throw new Error('no');
  });
  await t.throwsAsync(run.result(), { message: 'no' });
  t.is(during, 2);
  t.deepEqual(native.openPrefixes, []);
});

test('the signal’s reason is thrown by the loop and by the result, and the engine stops', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const controller = new AbortController();
  const run = new RecipeRun((work: Work) => work.generate(model, 'speaking', { prompt: 'Hi' }), {
    signal: controller.signal,
  });
  while (native.submitted.length === 0) await settle();
  const reason = new Error('enough');
  controller.abort(reason);
  t.is(await t.throwsAsync(run.result()), reason);
  t.is(await t.throwsAsync(collect(run)), reason);
  t.deepEqual(native.cancelled, [1]);
});

test('an aborted signal runs nothing', async (t) => {
  let ran = false;
  const run = new RecipeRun(
    async () => {
      ran = true;
      return {};
    },
    { signal: AbortSignal.abort(new Error('too late')) },
  );
  await t.throwsAsync(run.result(), { message: 'too late' });
  t.false(ran);
});

test('leaving the loop stops the run', async (t) => {
  const { native, model } = await openFake({ manual: true });
  const run = new RecipeRun(async (work: Work) => {
    work.emit({ type: 'said', text: 'first' });
    await work.generate(model, 'speaking', { prompt: 'Hi' });
    return {};
  });
  for await (const _ of run) {
    while (native.submitted.length === 0) await settle();
    break;
  }
  await t.throwsAsync(run.result(), { code: 'ERR_CANCELLED' });
  t.deepEqual(native.cancelled, [1]);
  t.throws(() => run[Symbol.asyncIterator](), { code: 'ERR_ALREADY_READ' });
});

test('an abort does not wait for a function of the user’s', async (t) => {
  const controller = new AbortController();
  const run = new RecipeRun((work: Work) => work.call('tool', () => new Promise<object>(() => {})), {
    signal: controller.signal,
  });
  await settle();
  controller.abort(new Error('enough'));
  await t.throwsAsync(run.result(), { message: 'enough' });
});

test('options of the frame are checked at once', (t) => {
  t.throws(() => new RecipeRun(async () => ({}), { seed: -1 }), { code: 'ERR_OPTION_VALUE' });
  t.throws(() => new RecipeRun(async () => ({}), { signal: 3 as never }), { code: 'ERR_OPTION_VALUE' });
});

test('rows are worked on together, and come in order', async (t) => {
  const running: number[] = [];
  let most = 0;
  const work = async (item: number) => {
    running.push(item);
    most = Math.max(most, running.length);
    for (let wait = 0; wait < 5 - item; wait++) await settle();
    running.splice(running.indexOf(item), 1);
    return item * 10;
  };
  t.deepEqual(await collect(mapOrdered([1, 2, 3, 4], 2, work)), [10, 20, 30, 40]);
  t.is(most, 2);
});

test('a row that fails ends the rest with an aborted signal', async (t) => {
  const signals: AbortSignal[] = [];
  const work = async (item: number, _: number, signal: AbortSignal) => {
    signals.push(signal);
    if (item === 2) throw new Error('row 2');
    return item;
  };
  await t.throwsAsync(collect(mapOrdered([1, 2, 3], 3, work)), { message: 'row 2' });
  t.true(signals.every(({ aborted }) => aborted));
});

test('rows are written as JSON lines', async (t) => {
  const file = temporaryFile('rows.jsonl');
  t.is(await writeJsonLines(file, [{ a: 1 }, { text: 'two\nlines' }]), 2);
  t.is(readFileSync(file, 'utf8'), '{"a":1}\n{"text":"two\\nlines"}\n');
});

test('a user’s wordings replace ours, one by one, from an object or a file', async (t) => {
  const ours = { ask: 'Ask {name}: {name}!', end: 'End' };
  t.deepEqual(withPrompts(ours, { end: 'Stop' }), { ask: ours.ask, end: 'Stop' });
  t.throws(() => withPrompts(ours, { edn: 'Stop' } as never), { code: 'ERR_OPTION_UNKNOWN' });
  t.throws(() => withPrompts(ours, { end: '' }), { code: 'ERR_OPTION_VALUE' });
  const file = temporaryFile('prompts.json');
  writeFileSync(file, '{"end": ["Stop", "now"]}');
  t.deepEqual(await loadPrompts(file), { end: 'Stop\nnow' });
  writeFileSync(file, '{"end": ');
  await t.throwsAsync(loadPrompts(file), { code: 'ERR_OPTION_VALUE', message: /must be a JSON object of texts/ });
  t.is(fill(ours.ask, { name: 'Ada' }), 'Ask Ada: Ada!');
  t.is(fill('{other} {"a": 1}', { name: 'Ada' }), '{other} {"a": 1}');
});
