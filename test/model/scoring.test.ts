// Readouts, calibration, perplexity and constrained output on real models.
import fc from 'fast-check';
import test from 'ava';
import { z } from 'zod';
import { brierScore, expectedCalibrationError, loadModel } from '../../lib/index.js';
import type { JsonSchema, Model } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { reviews } from './helpers/reviews.js';
import { openTinyLlama } from './helpers/tiny.js';

let model: Model;
let tiny: Model;

test.before(async () => {
  model = await loadModel(defaultModel, { contextSize: 2048, gpuLayers: 0 });
  tiny = await openTinyLlama();
});
test.after.always(async () => {
  await model?.close();
  await tiny?.close();
});

const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

test.serial('content labels have the log-likelihood of their words, and probabilities sum to 1', async (t) => {
  const question = { type: 'labels', suffix: ' The capital is', labels: { p: ' Paris', n: ' New York City' } } as const;
  const { q } = await model.classify({ prompt: 'France is a country.' }, { q: question });
  const [paris, city] = await model.logLikelihood({ prompt: 'France is a country. The capital is' }, [
    ' Paris',
    ' New York City',
  ]);
  t.true(near(q.logprobs.p, paris.logprob, 1e-3) && near(q.logprobs.n, city.logprob, 1e-3));
  t.true(near(sum(Object.values(q.probabilities)), 1, 1e-9));
  const { mean } = await model.classify(
    { prompt: 'France is a country.' },
    { mean: { ...question, normalization: 'mean' } },
  );
  t.true(near(mean.logits.n, city.logprob / city.tokens, 1e-3));
});

test.serial('the prior is what the labels have behind a text without content', async (t) => {
  const question = { type: 'boolean', instructions: 'Is it a question?', normalization: 'prior' } as const;
  const { q } = await model.classify({ prompt: 'How are you?' }, { q: question });
  const { raw } = await model.classify({ prompt: 'N/A' }, { raw: { ...question, normalization: 'sum' } });
  t.true(near(q.logits.yes, q.logprobs.yes - raw.logprobs.yes, 1e-3));
  t.true(near(q.logits.no, q.logprobs.no - raw.logprobs.no, 1e-3));
});

test.serial('perplexity in windows is the log-likelihood of the whole where it fits', async (t) => {
  const text = reviews.map((review) => review.prompt).join(' ');
  const tokens = model.tokenize(text, { addSpecial: false });
  const whole = await model.perplexity(text);
  t.is(whole.tokens, tokens.length);
  const detailed = await model.promptLogprobs({ prompt: [...tokens] }, { topLogprobs: 3 });
  const first = whole.logprob - sum(detailed.slice(1).map(({ logprob }) => logprob!));
  t.true(first < 0.5 && detailed[0].logprob === null);
  for (const { token, logprob, topLogprobs } of detailed.slice(1)) {
    const same = topLogprobs!.find((top) => top.token === token);
    if (same) t.is(same.logprob, logprob!); // The same bits.
    t.true(topLogprobs![0].logprob >= logprob!);
  }
  const rolling = await model.perplexity(text, { window: 64, stride: 32 });
  t.is(rolling.tokens, whole.tokens);
  t.true(rolling.perplexity > whole.perplexity && rolling.perplexity < whole.perplexity * 3);
});

test.serial('a calibration improves Brier score and calibration error of reviews that it has not seen', async (t) => {
  t.timeout(120_000);
  const labels = { yes: 'positive', no: 'negative' };
  const template = '{instructions}';
  const question = { type: 'boolean', instructions: 'The review is', labels, template } as const;
  const [fitted, heldOut] = [0, 1].map((part) => reviews.filter((_, index) => index % 2 === part));
  const { calibration } = await model.calibrate(question, fitted, { method: 'platt' });
  const predict = async (asked: typeof question) => {
    const answers = await Promise.all(heldOut.map(({ prompt }) => model.classify({ prompt }, { asked })));
    return answers.map((answer, index) => ({ probability: answer.asked.probability, outcome: heldOut[index].label }));
  };
  const [before, after] = [await predict(question), await predict({ ...question, calibration } as typeof question)];
  t.log({
    brier: [brierScore(before), brierScore(after)],
    ece: [expectedCalibrationError(before, 5), expectedCalibrationError(after, 5)],
  });
  t.true(brierScore(after) < brierScore(before));
  t.true(expectedCalibrationError(after, 5) < expectedCalibrationError(before, 5));
});

test.serial('answers keep to choices, regular expressions, grammars and schemas', async (t) => {
  t.timeout(120_000);
  const common = { prompt: 'The weather is', maxTokens: 100, seed: 3 };
  t.true(['sunny', 'rainy'].includes(await model.generate({ ...common, choices: ['sunny', 'rainy'] }).value()));
  t.regex(
    await model.generate({ ...common, regex: /[A-Z][a-z]{2,8}, \d{4}-\d\d/ }).text(),
    /^[A-Z][a-z]{2,8}, \d{4}-\d\d$/,
  );
  t.regex(await model.generate({ ...common, grammar: 'root ::= ("ab" | "ba"){3}' }).text(), /^(ab|ba){3}$/);
  const schema = z.object({
    city: z.string().min(1).max(20),
    degrees: z.int().min(-40).max(50),
    tags: z.array(z.enum(['wet', 'dry'])).max(3),
    note: z.string().max(10).optional(),
  });
  for (const temperature of [0, 1, 2]) {
    const value = await model.generate({ ...common, temperature, schema }).value();
    t.true(value.degrees >= -40 && value.degrees <= 50);
  }
});

test.serial('an answer may be constrained greedily without its neighbours being', async (t) => {
  const free = await model.generate({ prompt: 'One, two,', temperature: 0, maxTokens: 8 }).text();
  const [constrained, beside] = await Promise.all([
    model.generate({ prompt: 'One, two,', temperature: 0, regex: / [0-9]{4}/ }).text(),
    model.generate({ prompt: 'One, two,', temperature: 0, maxTokens: 8 }).text(),
  ]);
  t.regex(constrained, /^ \d{4}$/);
  t.is(beside, free);
});

test.serial('a grammar with an error fails its own request, by line and column', async (t) => {
  await t.throwsAsync(tiny.generate({ prompt: 'x', grammar: 'root ::= "a"\nb ::= [z-a]' }).result(), {
    code: 'ERR_GRAMMAR',
    message: /line 2, column 8/,
  });
  const nested = (depth: number) => `root ::= ${'('.repeat(depth)}"a"${')'.repeat(depth)}`;
  await t.throwsAsync(tiny.generate({ prompt: 'x', grammar: nested(30_000) }).result(), { code: 'ERR_GRAMMAR' });
  t.throws(() => tiny.generate({ prompt: 'x', grammar: nested(100_000) }), { code: 'ERR_OPTION_VALUE' });
});

const { schema: arbitrarySchema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<JsonSchema>({ type: 'boolean' }, { type: 'null' }, { const: 'x"y' }, { enum: [1, 'two', null] }),
    fc
      .record({
        low: fc.integer({ min: -200, max: 200 }),
        size: fc.nat(300),
        type: fc.constantFrom('integer', 'number'),
      })
      .map(({ low, size, type }) => ({ type, minimum: low, maximum: low + size })),
    fc
      .record({ min: fc.nat(3), more: fc.nat(8) })
      .map(({ min, more }) => ({ type: 'string', minLength: min, maxLength: min + more })),
    fc.constantFrom<JsonSchema>(
      { type: 'string', pattern: '^[a-f]{1,3}("|\\\\)?$' },
      { type: 'string', format: 'date' },
    ),
    fc
      .record({ items: tie('schema'), min: fc.nat(2), more: fc.nat(2) })
      .map(({ items, min, more }) => ({ type: 'array', items, minItems: min, maxItems: min + more })),
    fc.array(fc.record({ schema: tie('schema'), isRequired: fc.boolean() }), { maxLength: 3 }).map((fields) => ({
      type: 'object',
      properties: Object.fromEntries(fields.map(({ schema }, index) => [`k${index}`, schema])),
      required: fields.flatMap(({ isRequired }, index) => (isRequired ? [`k${index}`] : [])),
      additionalProperties: false,
    })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 2 }).map((anyOf) => ({ anyOf })),
  ),
}));

// A model of random weights keeps to no format by itself: every output that ends is the grammar's doing.
test.serial('random structured outputs validate against their random schemas', async (t) => {
  t.timeout(300_000);
  const count = Number(process.env['WINNOW_RANDOM_SCHEMAS'] ?? 300);
  const schemas = fc.sample(arbitrarySchema, { numRuns: count, seed: 5 });
  let cutOff = 0;
  for (let begin = 0; begin < count; begin += 32)
    await Promise.all(
      schemas.slice(begin, begin + 32).map(async (schema, index) => {
        const generation = tiny.generate({ prompt: 'x', schema, maxTokens: 200, seed: begin + index });
        const { reason, text } = await generation.result();
        if (reason === 'length') return cutOff++;
        return t.notThrowsAsync(generation.value(), `${JSON.stringify(schema)}: ${text}`);
      }),
    );
  t.log(`${cutOff} of ${count} were cut off by maxTokens`);
  t.true(cutOff < count / 4);
});
