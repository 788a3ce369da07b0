import test from 'ava';
import { CapabilityError } from '../../lib/errors.js';
import { openFake, pieces } from '../support/open-fake.js';

const classifier = { classes: 2, classNames: ['bad', 'good'], canGenerate: false, canFork: false };
const bert = { addsBos: true, pooling: 'mean', canGenerate: false } as const;

test('embed() gives one vector per text, in their order, from one request', async (t) => {
  const { native, model } = await openFake({ vector: (text) => [text.length, 0, 1] });
  const vectors = await model.embed(['a', 'abc', [5, 6]]);
  t.deepEqual(vectors.slice(0, 2), [Float32Array.of(4, 0, 1), Float32Array.of(6, 0, 1)]); // <s> counts 3.
  t.is(native.submitted.length, 1);
  const { encode, prompt, candidates } = native.submitted[0];
  t.deepEqual(encode!.texts[2], Int32Array.of(5, 6));
  t.deepEqual([prompt.length, candidates], [0, 0]);
});

test('what is spelled like a special token is text', async (t) => {
  const { native, model } = await openFake();
  await model.embed(['x</s>']);
  t.true(pieces(native, native.submitted[0].encode!.texts[0]).length > 3);
});

test('embed() pools as the model was trained, and normalises, unless told otherwise', async (t) => {
  const { native, model } = await openFake({ info: bert });
  await model.embed(['a']);
  await model.embed(['a'], { pooling: 'cls', normalize: false, priority: 2, timeoutMs: 50 });
  t.like(native.submitted[0].encode, { pooling: 'mean', normalize: true });
  t.like(native.submitted[1].encode, { pooling: 'cls', normalize: false });
  t.like(native.submitted[1], { priority: 2, timeoutMs: 50 });
});

test('embed() checks its options', async (t) => {
  const { model } = await openFake();
  const refused = async (texts: unknown, options: object, option: string) =>
    t.like(await t.throwsAsync(model.embed(texts as string[], options)), { option });
  await refused('text', {}, 'texts');
  await refused([], {}, 'texts');
  await refused([''], {}, 'texts[0]');
  await refused(['a', [-1]], {}, 'texts[1][0]');
  await refused(['a', []], {}, 'texts[1]');
  await refused(['a'], { pooling: 'max' }, 'pooling');
  await refused(['a'], { normalize: 1 }, 'normalize');
  await refused(['a'], { normalise: true }, 'normalise');
});

test('a text that is too long is refused by its place', async (t) => {
  const { model } = await openFake({ info: { maxTextTokens: 4 } });
  await t.throwsAsync(model.embed(['a', [1, 2, 3, 4, 5]]), { code: 'ERR_CONTEXT_OVERFLOW', message: /^Text 1 has 5 / });
});

test('what a model has no head or no vectors for is refused', async (t) => {
  const refused = { instanceOf: CapabilityError, code: 'ERR_UNSUPPORTED' };
  const { model } = await openFake();
  await t.throwsAsync(model.classifyTexts(['a']), refused);
  await t.throwsAsync(model.reward({ prompt: 'a' }, ['b']), refused);
  await t.throwsAsync(model.rerank('a', ['b']), refused);
  const { model: head } = await openFake({ info: classifier });
  await t.throwsAsync(head.embed(['a']), refused);
  const { model: neither } = await openFake({ info: { maxTextTokens: 0 } });
  await t.throwsAsync(neither.embed(['a']), refused);
  t.is(neither.info.encoding, null);
  t.deepEqual(neither.info.capabilities.embed, false);
});

test('an aborted signal rejects with its reason', async (t) => {
  const { model } = await openFake();
  const reason = new Error('enough');
  t.is(await t.throwsAsync(model.embed(['a'], { signal: AbortSignal.abort(reason) })), reason);
});

test('classifyTexts() names the classes and gives their softmax', async (t) => {
  const { model } = await openFake({ info: classifier, vector: () => [0, Math.log(3)] });
  t.deepEqual(model.info.encoding?.classes, ['bad', 'good']);
  const [{ label, scores, probabilities }] = await model.classifyTexts(['fine']);
  t.is(label, 'good');
  t.is(scores['good'], Math.fround(Math.log(3)));
  t.true(Math.abs(probabilities['good'] - 0.75) < 1e-7);
  t.true(Math.abs(probabilities['bad'] - 0.25) < 1e-7);
});

test('a head with one output has the logistic function as its probability', async (t) => {
  const { model } = await openFake({ info: { ...classifier, classes: 1, classNames: [] }, vector: () => [0] });
  t.deepEqual(await model.classifyTexts(['fine']), [
    { label: 'LABEL_0', scores: { LABEL_0: 0 }, probabilities: { LABEL_0: 0.5 } },
  ]);
});

test('reward() reads each answer behind the conversation, or behind the text as it is', async (t) => {
  const { native, model } = await openFake({ info: classifier, vector: (text) => [text.length, 0] });
  const messages = [{ role: 'user', content: 'Hi' }];
  const rewards = await model.reward({ messages }, ['Yes', 'No']);
  const texts = native.submitted[0].encode!.texts.map((tokens) => native.detokenize(tokens, true));
  t.deepEqual(
    rewards,
    texts.map(({ length }) => length),
  );
  t.true(texts[0].endsWith('<|im_start|>assistant\nYes<|im_end|>\n'));
  await model.reward({ prompt: 'The sky is' }, [' blue']);
  t.is(native.detokenize(native.submitted[1].encode!.texts[0], true), '<s>The sky is blue');
});

test('rerank() sorts the documents, each a pair with the query', async (t) => {
  const { native, model } = await openFake({
    info: { ...classifier, pairSeparator: 2 },
    vector: (text) => [text.split('</s>')[1].length, 0],
  });
  const ranked = await model.rerank('query', ['one', 'three', 'no', 'seven']);
  t.deepEqual(ranked, [
    { index: 1, score: 5 },
    { index: 3, score: 5 },
    { index: 0, score: 3 },
    { index: 2, score: 2 },
  ]);
  t.is(native.detokenize(native.submitted[0].encode!.texts[0], true), '<s>query</s>one');
});

test("rerank() fills in the model's own template", async (t) => {
  const { native, model } = await openFake({ info: { ...classifier, rerankTemplate: 'Q:{query} D:{document}' } });
  await model.rerank('a {document}', ['b']);
  t.is(native.detokenize(native.submitted[0].encode!.texts[0], true), '<s>Q:a {document} D:b');
});

test('rerank() refuses a model that needs segments', async (t) => {
  const { model } = await openFake({ info: { ...classifier, hasSegments: true } });
  await t.throwsAsync(model.rerank('a', ['b']), { code: 'ERR_UNSUPPORTED', message: /segments/ });
});
