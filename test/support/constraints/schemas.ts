// Random JSON Schemas of all that is supported, recursive ones too.
import type { Choices } from './random.js';
import { randomPattern } from './regexes.js';

export type Fields = Record<string, unknown>;
type Make = (next: Choices, depth: number, names: readonly string[]) => Fields;

const names = [
  'a',
  'b c',
  'ä',
  '👋',
  'x/y',
  'q~',
  '"',
  '\\',
  '',
  'toString',
  'constructor',
  'length',
  '\ud800',
  '%',
  '\n',
];
const values = [
  0,
  -1,
  1.5,
  1e21,
  -0,
  true,
  null,
  '',
  'two',
  'é"\\\n\u0007👋',
  '\udc00',
  [],
  [1, [2]],
  {},
  { a: { b: 'c' } },
];
const bounds = [0, 1, -1, 9, 10, 99, 100, -100, 1000, 12345, 999_999_999_999_999, 2 ** 53 - 1, -(2 ** 53) + 1];
const annotations = { title: 'T', description: 'd', default: 1, examples: [1], $comment: 'c', deprecated: false };

const range: Make = (next) => {
  const low = next.percent(40) ? next.pick(bounds) : next.between(-3000, 3000);
  const high = Math.min(low + next.pick([2, 3, 10, 1000, 10 ** 9]), Number.MAX_SAFE_INTEGER);
  const lower = next.pick([{}, { minimum: low }, { exclusiveMinimum: low }]);
  const upper = next.pick([{}, { maximum: high }, { exclusiveMaximum: high }]);
  return { type: next.pick(['integer', 'number']), ...lower, ...upper };
};

const text: Make = (next) => {
  const [least, more] = [next.below(4), next.below(8)];
  return next.pick<() => Fields>([
    () => ({ type: 'string' }),
    () => ({ type: 'string', minLength: least, maxLength: least + more }),
    () => ({ type: 'string', maxLength: more }),
    () => ({ minLength: least }),
    () => ({ type: 'string', pattern: randomPattern(next, { unicode: true, isPart: true }) }),
    () => ({ type: 'string', format: next.pick(['date', 'time', 'date-time', 'uuid']) }),
  ])();
};

const array: Make = (next, depth, refs) => {
  const prefixItems = next.percent(30) ? next.list(1, 3, () => schemaOf(next, depth - 1, refs)) : undefined;
  const first = prefixItems?.length ?? 0;
  const minItems = next.pick([undefined, 0, 1, 2, first + 1]);
  const isClosed = (minItems ?? 0) <= first && next.percent(20);
  const items = isClosed ? false : next.pick([undefined, true, schemaOf(next, depth - 1, refs)]);
  const most = Math.max(minItems ?? 0, first) + next.below(3);
  return withoutUndefined({
    type: 'array',
    prefixItems,
    minItems,
    items,
    maxItems: next.percent(50) ? most : undefined,
  });
};

const object: Make = (next, depth, refs) => {
  const own = [...new Set(next.list(0, 4, () => next.pick(names)))];
  if (own.length === 0) {
    const additionalProperties = next.pick([undefined, false, true, schemaOf(next, depth - 1, refs)]);
    return withoutUndefined({
      type: 'object',
      additionalProperties,
      propertyNames: next.pick([undefined, { type: 'string' }]),
    });
  }
  return {
    type: 'object',
    properties: Object.fromEntries(own.map((name) => [name, schemaOf(next, depth - 1, refs)])),
    required: own.filter(() => next.percent(50)),
    ...next.pick([{}, { additionalProperties: false }]),
  };
};

const union: Make = (next, depth, refs) => {
  const parts = next.list(1, 3, () => schemaOf(next, depth - 1, refs));
  return next.pick<() => Fields>([
    () => ({ anyOf: parts }),
    () => ({ oneOf: parts }),
    () => ({ allOf: [parts[0]] }),
    () => ({
      type: next.pick([
        ['string', 'null'],
        ['integer', 'boolean'],
        ['array', 'number'],
        ['null', 'object'],
      ]),
    }),
    () => ({ type: 'object', anyOf: [object(next, depth - 1, refs)] }),
  ])();
};

const leaf: Make = (next) =>
  next.pick<() => Fields>([
    () => ({ type: next.pick(['boolean', 'null', 'integer', 'number', 'string']) }),
    () => ({ const: next.pick(values) }),
    () => ({ enum: next.list(1, 4, () => next.pick(values)) }),
    () => ({ type: ['number', 'string'], enum: [5, 'five', null] }),
    () => range(next, 0, []),
    () => text(next, 0, []),
  ])();

function schemaOf(next: Choices, depth: number, refs: readonly string[]): Fields {
  const make = depth > 0 ? next.pick([leaf, leaf, array, object, union]) : leaf;
  if (refs.length > 0 && next.percent(15)) return { $ref: next.pick(refs) };
  const schema = make(next, depth, refs);
  return next.percent(5) ? { ...schema, ...annotations } : schema;
}

/** All of it is supported, but what the choices make impossible: a reference without an end, a range without a number. */
export function randomSchema(next: Choices): Fields {
  const count = next.percent(30) ? next.between(1, 3) : 0;
  const refs =
    count === 0 ? [] : ['#', '#/$defs/a%25%7E1~01', ...Array.from({ length: count }, (_, i) => `#/$defs/d${i}`)];
  const depth = next.between(0, 3);
  const schema = schemaOf(next, depth, refs);
  if (count === 0) return schema;
  const definitions = Array.from({ length: count }, (_, i) => [`d${i}`, schemaOf(next, depth, refs)] as const);
  return {
    ...schema,
    $defs: { 'a%~1/1': { type: 'null' }, 'a%/~1': { type: 'boolean' }, ...Object.fromEntries(definitions) },
  };
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
