import test from 'ava';
import { collect, openFake, settle } from '../support/open-fake.js';

const answer = (candidate: number) => ({ pieces: ['A', ' b', ' c'].slice(0, candidate + 1) });

test('count answers come from one request', async (t) => {
  const { native, model } = await openFake({ answer });
  const prefix = await model.prefill({ prompt: 'x' });
  const result = await prefix.sample({ count: 3, seed: 5 }).result();
  t.like(native.submitted[1], { candidates: 3, parent: 1, seed: 5 });
  t.deepEqual(
    result.candidates.map(({ text }) => text),
    ['A', 'A b', 'A b c'],
  );
  t.is(result.seed, 5);
  t.is(result.usage.generatedTokens, 9);
});

test('texts() are the texts in the order of the candidates', async (t) => {
  const { model } = await openFake({ answer });
  const prefix = await model.prefill({ prompt: 'x' });
  t.deepEqual(await prefix.sample({ count: 2 }).texts(), ['A', 'A b']);
});

test('events tell their candidate, and the finish comes last', async (t) => {
  const { model } = await openFake({ answer });
  const prefix = await model.prefill({ prompt: 'x' });
  const events = await collect(prefix.sample({ count: 2 }));
  t.deepEqual(
    events.map((event) => (event.type === 'finish' ? 'finish' : `${event.type} ${event.candidate}`)),
    [
      'candidate-token 0',
      'candidate-token 1',
      'candidate-token 1',
      'candidate-token 0',
      'candidate-finish 0',
      'candidate-token 1',
      'candidate-finish 1',
      'finish',
    ],
  );
});

test('text that was held back comes before the candidate’s finish', async (t) => {
  const { model } = await openFake({ answer: () => ({ pieces: ['A'], rest: '\n' }) });
  const prefix = await model.prefill({ prompt: 'x' });
  const events = await collect(prefix.sample({ count: 1 }));
  t.deepEqual(events[1], { type: 'candidate-token', candidate: 0, text: '\n', token: model.info.specialTokens.eos });
  t.like(events[2], { type: 'candidate-finish', text: 'A\n' });
});

test('breaking out cancels all candidates with one call', async (t) => {
  const { native, model } = await openFake({ answer });
  const prefix = await model.prefill({ prompt: 'x' });
  for await (const _ of prefix.sample({ count: 16 })) break;
  await settle();
  t.deepEqual(native.cancelled, [2]);
});

test('log-probabilities come for every candidate', async (t) => {
  const { model } = await openFake({ answer });
  const prefix = await model.prefill({ prompt: 'x' });
  const { candidates } = await prefix.sample({ count: 2, logprobs: true }).result();
  t.deepEqual(
    candidates.map(({ logprobs }) => logprobs),
    [
      [-0.5, -0.5],
      [-0.5, -0.5, -0.5],
    ],
  );
});
