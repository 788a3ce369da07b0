import fc from 'fast-check';
import test from 'ava';
import { z } from 'zod';
import type { JsonSchema } from '../../lib/constraint/constraint.js';
import { resolveConstraint } from '../../lib/constraint/constraint.js';
import { integerRange, realRange } from '../../lib/constraint/numbers.js';
import { regexToGbnf } from '../../lib/constraint/regex.js';
import { schemaToGbnf } from '../../lib/constraint/schema.js';
import { ConstraintError, OptionError, OutputError } from '../../lib/errors.js';
import type { GenerateOptions } from '../../lib/options.js';
import { openFake } from '../support/open-fake.js';

const says = (text: string) => ({ answer: () => ({ pieces: [text] }) });

async function grammarOf(options: Partial<GenerateOptions>): Promise<string | undefined> {
  const { native, model } = await openFake();
  await model.generate({ prompt: 'x', ...options } as GenerateOptions).result();
  return native.submitted[0].grammar;
}

/** An expression of GBNF without names of rules, as a regular expression. */
const toRegExp = (gbnf: string) =>
  new RegExp(
    `^(?:${gbnf
      .replace(/"([^"]*)"/g, (_, text: string) => text.replace('.', '\\.'))
      .replace(/ (?!\|)|(?<=\|) /g, '')
      .replace(/ \|/g, '|')})$`,
  );

test('a grammar goes down as it is, choices as literals, a regular expression as a rule', async (t) => {
  t.is(await grammarOf({ grammar: 'root ::= "a"' }), 'root ::= "a"');
  t.is(await grammarOf({ choices: ['yes', 'a "b"\n'] }), 'root ::= "yes" | "a \\x22b\\x22\\x0a"');
  t.is(await grammarOf({ regex: /^a+[bc]$/ }), 'root ::= ("a"){1,} [b-c]'.replace('"a"', '[a]'));
  t.is(await grammarOf({}), undefined);
});

test('only one constraint at a time, and each is checked', async (t) => {
  const { model } = await openFake();
  const wrong: [object, RegExp][] = [
    [{ grammar: 'root ::= "a"', regex: 'a' }, /Give only one of grammar and regex/],
    [{ grammar: '' }, /^grammar must be/],
    [{ grammar: 'x'.repeat(70_000) }, /at most 65536 bytes/],
    [{ choices: [] }, /^choices must be an array of 1 to 1000/],
    [{ choices: ['a', ''] }, /^choices\[1\]/],
    [{ regex: 5 }, /^regex must be/],
    [{ schema: 'string' }, /^schema must be/],
  ];
  for (const [options, message] of wrong)
    t.throws(() => model.generate({ prompt: 'x', ...options }), { instanceOf: OptionError, message });
});

test('a regular expression becomes classes, groups and repetitions', (t) => {
  const write = (pattern: string, flags = 'u') => regexToGbnf(pattern, flags, 'regex');
  t.is(write('a|b'), '[a] | [b]');
  t.is(write('(?:ab){2,3}c?'), '(([a] [b])){2,3} ([c]){0,1}');
  t.is(write('\\d[^a]'), '[0-9] [\\x00-`b-\\ud7ff\\ue000-\\U0010ffff]');
  t.is(write('^$'), '""');
  t.is(write('.', 'us'), '[\\x00-\\ud7ff\\ue000-\\U0010ffff]');
  t.is(write('.', 's'), '[\\x00-\\ud7ff\\ue000-\\uffff]'); // Beyond it are two characters.
  t.is(write('\\u{3}', ''), '([u]){3,3}');
});

test('what is no regular language is refused by name', (t) => {
  const refusals: [string, string, RegExp][] = [
    ['(a)\\1', 'u', /regex: \\1 is not supported: what a group matched/],
    ['a(?=b)', 'u', /\(\?=b\) is not supported/],
    ['a\\b', 'u', /\\b is not supported/],
    ['\\p{L}', 'u', /\\p\{L\} is not supported/],
    ['a', 'i', /the flags 'i'/],
    ['(', 'u', /regex: .*[Uu]nterminated group/],
    ['a{10001}', 'u', /repeats more than 10000 times/],
    ['[]', 'u', /matches nothing/],
    ['a'.repeat(1025), 'u', /has 1025 characters/],
    ['('.repeat(500) + ')'.repeat(500), 'u', /nested too deep/],
  ];
  for (const [pattern, flags, message] of refusals)
    t.throws(() => regexToGbnf(pattern, flags, 'regex'), { instanceOf: ConstraintError, code: 'ERR_REGEX', message });
});

test('integer ranges match their integers and no other', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: -3000, max: 3000 }),
        fc.nat(3000),
        fc.integer({ min: -7000, max: 7000 }),
        (low, size, n) => {
          const range = toRegExp(integerRange(low, low + size)!);
          return [low, low + size, low - 1, low + size + 1, n].every(
            (value) => range.test(String(value)) === (value >= low && value <= low + size),
          );
        },
      ),
    ),
  );
  t.true(toRegExp(integerRange(5, Infinity)!).test('123456789'));
  t.false(toRegExp(integerRange(5, Infinity)!).test('4'));
  t.is(integerRange(3, 2), undefined);
});

test('ranges of decimals keep inside their bounds, open ones too', (t) => {
  const bounds = fc.record({
    low: fc.integer({ min: -30, max: 30 }),
    size: fc.nat(40),
    excludesLow: fc.boolean(),
    excludesHigh: fc.boolean(),
  });
  const number = fc.double({ min: -80, max: 80, noNaN: true }).map((value) => Math.round(value * 100) / 100 + 0);
  t.notThrows(() =>
    fc.assert(
      fc.property(bounds, number, ({ low, size, ...rest }, value) => {
        const high = low + size;
        const gbnf = realRange({ low, high, ...rest });
        if (gbnf === undefined) return size === 0;
        const isInside = (n: number) =>
          (rest.excludesLow ? n > low : n >= low) && (rest.excludesHigh ? n < high : n <= high);
        return [value, low, high].every((n) => toRegExp(gbnf).test(String(n)) === isInside(n));
      }),
      { numRuns: 2000 },
    ),
  );
});

const schemaRefusals: [object | boolean, string, RegExp][] = [
  [{ type: 'object', properties: { a: { type: 'string', not: {} } } }, '#/properties/a/not', /the keyword 'not'/],
  [{ type: 'array', uniqueItems: true }, '#/uniqueItems', /can't be enforced/],
  [{ type: 'number', multipleOf: 2 }, '#/multipleOf', /can't be enforced/],
  [{ type: 'number', minimum: 0.5 }, '#/minimum', /must be an integer/],
  [{ type: 'integer', minimum: 3, maximum: 2 }, '#', /no number is between/],
  [{ type: 'string', format: 'email' }, '#/format', /date-time, uuid can/],
  [{ type: 'string', pattern: '(a)\\1' }, '#/pattern', /schema#\/pattern: \\1/],
  [{ type: 'string', minLength: 2, maxLength: 1 }, '#/maxLength', /below minLength/],
  [{ type: 'string', maxLength: 10_001 }, '#/maxLength', /0 to 10000/],
  [{ $ref: 'http://x/y' }, '#/$ref', /is not found/],
  [{ $ref: '#/$defs/none' }, '#/$ref', /is not found/],
  [{ allOf: [{}, {}] }, '#/allOf', /more than one/],
  [{ type: 'text' }, '#/type', /no type of JSON Schema/],
  [{ type: 'object', properties: {}, required: ['a'] }, '#/required', /not among the properties/],
  [{ enum: [] }, '#/enum', /a filled array/],
  [{ enum: [1, undefined] }, '#/enum/1', /undefined is no JSON/],
  [{ const: { a: [NaN] } }, '#/const/a/0', /NaN is no JSON/],
  [{ const: new Date(0) }, '#/const', /no plain object/],
  [{ enum: Array(70_000).fill(1) }, '#/enum', /70000 entries/],
  [{ type: 'string', enum: [1] }, '#/enum', /nothing in it is of the type/],
  [{ type: 'string', anyOf: [{ type: 'number' }] }, '#/type', /must be repeated/],
  [{ type: 'string', format: 'constructor' }, '#/format', /can't be enforced/],
  [{ type: 'string', pattern: '\\-' }, '#/pattern', /[Ii]nvalid escape/],
  [{ properties: JSON.parse('{"__proto__": {}}') as object }, '#/properties/__proto__', /is not supported/],
  [{ anyOf: [{ $id: 'x', type: 'null' }] }, '#/anyOf/0/$id', /can't be enforced/],
  [{ $ref: '#/%' }, '#/$ref', /is not found/],
  [{ $ref: '#' }, '#', /refers to itself with nothing between/],
  [{ items: { anyOf: [{ type: 'null' }, { $ref: '#/items' }] } }, '#/items/anyOf/1', /refers to itself/],
  [{ properties: { next: { $ref: '#' } }, required: ['next'] }, '#', /nothing finite matches it/],
  [{ type: ['null', 'null'] }, '#/type', /schema#\/type: must/],
  [{ $schema: 'http://json-schema.org/draft-07/schema#' }, '#/$schema', /no schema with key or ref/],
  [{ type: 'object', properties: { 'a/b~': false } }, '#/properties/a~1b~0', /false matches nothing/],
];
for (const [schema, pointer, message] of schemaRefusals)
  test(`refused by its place: ${JSON.stringify(schema)}`, (t) => {
    const error = t.throws<ConstraintError>(() => resolveConstraint({ schema: schema as JsonSchema }), {
      instanceOf: ConstraintError,
      message,
    });
    t.is(error?.pointer, pointer);
  });

test('schemas beyond the limits are refused before anything recurs into them', (t) => {
  const nested = (depth: number) => {
    let schema: object = { type: 'string' };
    for (let i = 0; i < depth; i++) schema = { type: 'array', items: schema };
    return schema;
  };
  t.notThrows(() => schemaToGbnf(nested(60)));
  t.throws(() => schemaToGbnf(nested(100_000)), { code: 'ERR_SCHEMA', message: /nested more than 64 deep/ });
  const cycle: Record<string, unknown> = { type: 'array' };
  cycle['items'] = cycle;
  t.throws(() => schemaToGbnf(cycle), { message: /nested more than 64 deep/ });
  const wide = { anyOf: Array.from({ length: 2001 }, () => ({ type: 'null' })) };
  t.throws(() => schemaToGbnf(wide), { message: /more than 2000 objects/ });
  t.throws(() => schemaToGbnf({ const: 'x'.repeat(300_000) }), { message: /more than 262144 bytes/ });
});

test('what is beside an excluded bound is not rounded to it', (t) => {
  const below = (high: number) => realRange({ low: 0, high, excludesLow: false, excludesHigh: true })!;
  t.true(toRegExp(below(1000)).test('999.99999999999'));
  t.false(toRegExp(below(1000)).test('999.999999999999999')); // Which is 1000.
  t.false(toRegExp(below(Number.MAX_SAFE_INTEGER)).test('9007199254740990.9'));
  const above = realRange({ low: 1000, high: Infinity, excludesLow: true, excludesHigh: false })!;
  t.true(toRegExp(above).test('1000.00000000001'));
  t.false(toRegExp(above).test('1000.000000000000001'));
});

test('a control character without a short escape can come where it is all that may', (t) => {
  t.true(schemaToGbnf({ type: 'string', pattern: '^\\x07$' }).text.includes(String.raw`"\x5cu0007"`));
});

test('only the values of an enum that are of its type come', (t) => {
  t.regex(schemaToGbnf({ type: ['integer', 'null'], enum: [1, 1, 1.5, 'a', null] }).text, /^s0 ::= "1" \| "null"$/m);
});

test('a property that an object has by its prototype only is not there', async (t) => {
  const schema = { properties: { toString: { type: 'integer' }, n: { type: 'integer' } } };
  const { model } = await openFake(says('{"n": 5}'));
  t.deepEqual(await model.generate({ prompt: 'x', schema }).value(), { n: 5 });
});

test('a pattern that takes exponential time to match does not hold up the value', async (t) => {
  const text = `${'a'.repeat(40)}b`;
  const schema = { type: 'string', pattern: '^(?:(?:a+)+c|a+b)$' };
  const { model } = await openFake(says(JSON.stringify(text)));
  t.is(await model.generate({ prompt: 'x', schema }).value(), text);
});

test('a value too deep for the validator is an OutputError', async (t) => {
  const schema = { type: 'array', items: { $ref: '#' } };
  const { model } = await openFake(says('['.repeat(50_000) + ']'.repeat(50_000)));
  await t.throwsAsync(model.generate({ prompt: 'x', schema }).value(), {
    instanceOf: OutputError,
    message: /nested too deep/,
  });
});

test('a JSON Schema’s value is parsed and validated', async (t) => {
  const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
  const { model } = await openFake(says('{"n": 5}'));
  t.deepEqual(await model.generate({ prompt: 'x', schema }).value(), { n: 5 });
});

test('an answer that was cut off is an error with its text', async (t) => {
  const { model } = await openFake(says('{"n": '));
  const error = await t.throwsAsync<OutputError>(model.generate({ prompt: 'x', schema: { type: 'object' } }).value(), {
    instanceOf: OutputError,
    code: 'ERR_OUTPUT_INVALID',
  });
  t.is(error?.text, '{"n": ');
});

test('what a grammar can’t say is validated afterwards, by place', async (t) => {
  const schema = { oneOf: [{ type: 'integer' }, { type: 'number' }] };
  const { model } = await openFake(says('5'));
  await t.throwsAsync(model.generate({ prompt: 'x', schema }).value(), { message: /exactly one schema/ });
});

test('a zod schema gives its grammar, its validation and its transformation', async (t) => {
  const schema = z.object({ colour: z.enum(['red', 'blue']), size: z.int().min(1).max(12).optional() });
  const { native, model } = await openFake(says('{"colour": "red"}'));
  t.deepEqual(await model.generate({ prompt: 'x', schema }).value(), { colour: 'red' });
  t.regex(native.submitted[0].grammar!, /"\\x22red\\x22" \| "\\x22blue\\x22"/);
  const refined = z.object({ n: z.number() }).refine(({ n }) => n > 3, { message: 'too small', path: ['n'] });
  const { model: other } = await openFake(says('{"n": 2}'));
  const error = await t.throwsAsync<OutputError>(other.generate({ prompt: 'x', schema: refined }).value());
  t.deepEqual(error?.issues, [{ path: '/n', message: 'too small' }]);
});

test('a Standard Schema without a JSON Schema is refused', async (t) => {
  const { model } = await openFake();
  const schema = { '~standard': { version: 1, vendor: 'mine', validate: (value: unknown) => ({ value }) } } as const;
  t.throws(() => model.generate({ prompt: 'x', schema }), { code: 'ERR_SCHEMA', message: /Schemas of mine/ });
  t.throws(() => model.generate({ prompt: 'x', schema: z.date() }), { code: 'ERR_SCHEMA' });
});

test('choices and texts are their own values', async (t) => {
  const { model } = await openFake(says('red'));
  t.is(await model.generate({ prompt: 'x', choices: ['red', 'blue'] }).value(), 'red');
  await t.throwsAsync(model.generate({ prompt: 'x', choices: ['redder'] }).value(), { code: 'ERR_OUTPUT_INVALID' });
  t.is(await model.generate({ prompt: 'x' }).value(), 'red');
});

test('the engine’s word on a grammar is a ConstraintError', async (t) => {
  const { model } = await openFake({
    errors: { 0: { code: 'ERR_GRAMMAR', message: 'Grammar, line 1, column 3: no' } },
  });
  await t.throwsAsync(model.generate({ prompt: 'x', grammar: 'root' }).result(), {
    instanceOf: ConstraintError,
    message: /line 1, column 3/,
  });
});
