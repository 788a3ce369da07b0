// Random JSON Schemas as a careless or a hostile caller sends them.
import type { Choices } from './random.js';
import type { Fields } from './schemas.js';
import { randomSchema } from './schemas.js';

const unsupported = [
  'not',
  'if',
  'then',
  'multipleOf',
  'uniqueItems',
  'contains',
  'patternProperties',
  'dependentRequired',
  'unevaluatedItems',
  '$anchor',
  '$dynamicRef',
  '$id',
  'contentEncoding',
  'minProperties',
  'x-mine',
  'constructor',
];
const supported = [
  'type',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  'allOf',
  '$ref',
  'properties',
  'required',
  'items',
  'prefixItems',
  'additionalProperties',
  'propertyNames',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  '$defs',
  'definitions',
  '$schema',
  '$id',
  'title',
];
const references = [
  '#',
  '#/',
  '#/$defs/none',
  '#/$defs/d0',
  '#/%',
  '#/%zz',
  '#anchor',
  'http://x/y#/z',
  'd0',
  '#/properties',
  '#/items',
  '#/enum/0',
  '#/prefixItems/length',
  '#/__proto__',
  '#/constructor',
  '',
  '#/$defs/~2',
  '#/$defs/a%25%7E1~01',
];
const patterns = [
  '(',
  '[',
  '[]',
  '[^\\s\\S]',
  '(a)\\1',
  '(?=a)',
  '\\b',
  '\\p{L}',
  '\\-',
  '\\u{110000}',
  '\ud800',
  '.{0,10001}',
  '((a{1000}){1000}){1000}',
  'a'.repeat(1025),
  '('.repeat(512) + ')'.repeat(512),
  '[\\x00-\\x07]',
  '^^',
  'a$b',
  '(?i:a)',
  '\\',
  '(?:'.repeat(200) + ')*'.repeat(200),
  '(a|'.repeat(300),
];
const garbage = [
  undefined,
  null,
  true,
  false,
  0,
  -1,
  0.5,
  1e300,
  NaN,
  Infinity,
  10n,
  '',
  'string',
  'constructor',
  'toString',
  [],
  [[]],
  ['string', 'string'],
  ['string', 'none'],
  {},
  { a: 1 },
  new Date(0),
  new Map(),
  /x/,
  () => 1,
  Symbol('s'),
];
const hugeNumbers = [10_000, 10_001, 2 ** 31, 2 ** 53, 1e308, -1e308, -(2 ** 53), 0.1, 1e-300];
const depths = [1, 10, 30, 31, 32, 63, 64, 65, 200, 1000, 1000, 1000, 100_000];

type Mutation = (next: Choices, schema: Fields) => unknown;

const nest: Mutation = (next, schema) => {
  const wrap = next.pick<(inner: unknown) => unknown>([
    (inner) => ({ type: 'array', items: inner }),
    (inner) => ({ properties: { a: inner }, required: ['a'] }),
    (inner) => ({ anyOf: [inner] }),
    (inner) => [inner],
    (inner) => ({ const: { a: inner } }),
    (inner) => ({ additionalProperties: inner }),
  ]);
  let nested: unknown = schema;
  for (let left = next.pick(depths); left > 0; left--) nested = wrap(nested);
  return nested;
};

/** A definition for each link, the last of them anything. */
const chain: Mutation = (next, schema) => {
  const length = next.pick([10, 300, 900, 1900, 3000]);
  const wrap = next.pick([
    (ref: object) => ref,
    (ref: object) => ({ items: ref }),
    (ref: object) => ({ anyOf: [ref, ref] }),
  ]);
  const links = Array.from({ length }, (_, i) => [`l${i}`, wrap({ $ref: `#/$defs/l${i + 1}` })] as const);
  return { $ref: '#/$defs/l0', $defs: { ...Object.fromEntries(links), [`l${length}`]: schema } };
};

const widen: Mutation = (next, schema) => {
  const size = next.pick([10, 1000, 1999, 2001, 2001, 2001, 66_000]);
  const each = <T>(make: (index: number) => T) => Array.from({ length: size }, (_, index) => make(index));
  return next.pick<() => unknown>([
    () => ({ anyOf: each(() => schema) }),
    () => ({ enum: each((index) => index) }),
    () => ({ enum: each(() => '👋"\\') }),
    () => ({ properties: Object.fromEntries(each((index) => [`p${index}`, true])) }),
    () => ({ prefixItems: each(() => ({ type: 'null' })) }),
    () => ({ const: 'x"'.repeat(size) }),
    () => ({ type: 'array', items: { maxLength: 10_000 }, minItems: Math.min(size, 10_000) }),
    () => ({ type: 'array', items: schema, maxItems: Math.min(size, 10_001) }),
  ])();
};

const cycle: Mutation = (next, schema) => {
  const [key, value] = next.pick<[string, unknown]>([
    ['items', schema],
    ['anyOf', [schema]],
    ['const', schema],
    ['default', schema],
  ]);
  schema[key] = value;
  return schema;
};

const endless: Mutation = (next) =>
  next.pick<unknown>([
    { $ref: '#' },
    { anyOf: [{ $ref: '#' }, { $ref: '#/$defs/a' }], $defs: { a: { prefixItems: [{ $ref: '#/$defs/a' }] } } },
    { type: 'object', properties: { n: { $ref: '#' } }, required: ['n'] },
    { type: 'array', items: { $ref: '#' }, minItems: 1 },
  ]);

const setKeyword: Mutation = (next, schema) => {
  const place = somewhere(next, schema);
  const key = next.percent(30) ? next.pick(unsupported) : next.pick(supported);
  place[key] = next.pick<() => unknown>([
    () => next.pick(garbage),
    () => next.pick(hugeNumbers),
    () => next.pick(patterns),
    () => next.pick(references),
    () => randomSchema(next),
    () => next.list(0, 3, () => next.pick<unknown>([...garbage, ...hugeNumbers])),
  ])();
  return schema;
};

const setTypical: Mutation = (next, schema) => {
  const place = somewhere(next, schema);
  Object.assign(
    place,
    next.pick<() => Fields>([
      () => ({ $ref: next.pick(references) }),
      () => ({ type: 'string', pattern: next.pick(patterns) }),
      () => ({ type: 'integer', minimum: next.pick(hugeNumbers) }),
      () => ({ type: 'array', maxItems: next.pick(hugeNumbers) }),
      () => ({ enum: [] }),
      () => ({ type: 'string', format: next.pick(['email', 'constructor', '', 'regex']) }),
      () => ({ [next.pick(unsupported)]: {} }),
      () => ({ properties: JSON.parse('{"__proto__": {"type": "null"}}') as Fields }),
      () => ({
        $schema: next.pick([
          'http://json-schema.org/draft-07/schema#',
          'https://json-schema.org/draft/2020-12/schema',
          5,
        ]),
      }),
    ])(),
  );
  return schema;
};

/** An object inside of the schema, or itself. */
function somewhere(next: Choices, schema: Fields): Fields {
  let at = schema;
  for (;;) {
    const inside = Object.values(at).filter((value) => Object.prototype.toString.call(value) === '[object Object]');
    if (inside.length === 0 || next.percent(30)) return at;
    at = next.pick(inside) as Fields;
  }
}

const mutations = [
  setKeyword,
  setKeyword,
  setKeyword,
  setTypical,
  setTypical,
  setTypical,
  nest,
  chain,
  widen,
  cycle,
  endless,
];

/** Often no JSON Schema at all. */
export function wildSchema(next: Choices): unknown {
  const schema = structuredClone(randomSchema(next));
  if (next.percent(2)) return next.pick(garbage.slice(1)); // But undefined: no constraint at all.
  if (next.percent(20)) return schema;
  let changed: unknown = schema;
  for (let left = next.between(1, 3); left > 0; left--)
    if (Object.prototype.toString.call(changed) === '[object Object]')
      changed = next.pick(mutations)(next, changed as Fields);
  return changed;
}
