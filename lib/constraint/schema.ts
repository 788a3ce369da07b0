import { literalOf } from './characters.js';
import type { Alternative } from './finite.js';
import { findEndless, findLoop } from './finite.js';
import { classInString, jsonRules } from './json-text.js';
import { checkSchemaSize, refuse, step } from './limits.js';
import { integerRange, realRange } from './numbers.js';
import { regexToGbnf } from './regex.js';

// A JSON Schema as GBNF. A keyword that the grammar can't enforce is refused by its place, never skipped.

type Fields = Record<string, unknown>;

const annotations = ['title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly', '$comment'];
const structure = ['$schema', '$defs', 'definitions', ...annotations];
const keywords = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  object: ['properties', 'required', 'additionalProperties', 'propertyNames'],
  boolean: [],
  null: [],
} as const;
type Type = keyof typeof keywords;
const types = Object.keys(keywords) as Type[];

const dateRule = '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])';
const timeRule =
  '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | [+-] ("0" [0-9] | "1" [0-3]) ":" [0-5] [0-9])';
const formats = new Map(
  Object.entries({
    date: dateRule,
    time: timeRule,
    'date-time': `${dateRule} "T" ${timeRule}`,
    uuid: 'hex{8} "-" hex{4} "-" [1-8] hex{3} "-" [89abAB] hex{3} "-" hex{12}',
  }),
);
const maxCount = 10_000; // Characters and items that a bound may name.

/** GBNF, and what each of its lines is made of. */
export interface SchemaGrammar {
  text: string;
  /** [lines]: JSON pointers. */
  places: readonly string[];
}

/** The root is the schema's value. Throws ConstraintError ERR_SCHEMA and ERR_REGEX, by JSON pointer. */
export function schemaToGbnf(schema: unknown): SchemaGrammar {
  checkSchemaSize(schema);
  return new SchemaWriter(schema).write();
}

/** A schema that is written as a rule. */
interface Part {
  name: string;
  schema: Fields;
  pointer: string;
}

// One schema after the other, each when somebody has referred to it: nothing recurs, however long a chain of $refs is.
class SchemaWriter {
  readonly #root: unknown;
  readonly #parts: Part[] = [];
  readonly #names = new Map<object, string>(); // Of all parts.
  readonly #alternatives = new Map<string, readonly Alternative[]>(); // Of the parts that are written.
  readonly #lines: { text: string; pointer: string }[] = [];

  constructor(root: unknown) {
    this.#root = root;
  }

  write(): SchemaGrammar {
    this.#addLine('root', this.#ruleOf(this.#root, '#'), '#');
    for (const [name, rule] of Object.entries(jsonRules)) this.#addLine(name, rule, '#');
    for (const part of this.#parts) this.#write(part); // Grows as it goes.
    this.#checkEnds();
    return {
      text: this.#lines.map(({ text }) => text).join('\n'),
      places: this.#lines.map(({ pointer }) => pointer),
    };
  }

  #checkEnds(): void {
    if (this.#parts.length === 0) return;
    const loop = findLoop(this.#alternatives);
    if (loop) throw refuse(this.#pointerOf(loop), 'it refers to itself with nothing between');
    const endless = findEndless(this.#alternatives, this.#parts[0].name);
    if (endless) throw refuse(this.#pointerOf(endless), 'nothing finite matches it: it always contains itself');
  }

  #write({ name, schema, pointer }: Part): void {
    const alternatives = this.#alternativesOf(schema, pointer);
    this.#alternatives.set(name, alternatives);
    this.#addLine(name, alternatives.map(({ text }) => text).join(' | '), pointer);
  }

  #addLine(name: string, expression: string, pointer: string): void {
    this.#lines.push({ text: `${name} ::= ${expression}`, pointer });
  }

  #pointerOf(name: string): string {
    return this.#parts.find((part) => part.name === name)!.pointer;
  }

  #ruleOf(schema: unknown, pointer: string): string {
    if (schema === true) return 'value';
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
      throw refuse(pointer, schema === false ? 'false matches nothing' : 'a schema must be an object');
    const known = this.#names.get(schema);
    if (known) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(schema, name);
    this.#parts.push({ name, schema: schema as Fields, pointer });
    return name;
  }

  #addRule(expression: string, pointer: string): string {
    const name = `p${this.#lines.length}`;
    this.#addLine(name, expression, pointer);
    return name;
  }

  #alternativesOf(schema: Fields, pointer: string): Alternative[] {
    if ('$ref' in schema) return [inner(this.#reference(schema, pointer))];
    for (const keyword of ['anyOf', 'oneOf', 'allOf'] as const)
      if (keyword in schema) return this.#combination(schema, keyword, pointer).map(inner);
    if ('const' in schema) return valuesOf(schema, 'const', [schema['const']], pointer);
    if ('enum' in schema) return valuesOf(schema, 'enum', listOf(schema['enum'], pointer + step('enum')), pointer);
    const named = typesOf(schema, pointer);
    checkKeywords(schema, pointer, ['type', ...named.flatMap((type) => keywords[type])]);
    if (named.length === 0) return [{ text: 'value', needs: [] }];
    return named.map((type) => {
      const { text, needs } = this.#typed(type, schema, pointer);
      return { text: `(${text})`, needs };
    });
  }

  #typed(type: Type, schema: Fields, pointer: string): Alternative {
    switch (type) {
      case 'string':
        return { text: this.#string(schema, pointer), needs: [] };
      case 'integer':
      case 'number':
        return { text: numberOf(type, schema, pointer), needs: [] };
      case 'array':
        return this.#array(schema, pointer);
      case 'object':
        return this.#object(schema, pointer);
      default:
        return { text: type, needs: [] };
    }
  }

  #reference(schema: Fields, pointer: string): string {
    checkKeywords(schema, pointer, ['$ref']);
    const { $ref: reference } = schema;
    const keys = typeof reference === 'string' ? keysOf(reference) : undefined;
    const target = keys && this.#find(keys);
    if (target === undefined)
      throw refuse(
        pointer + step('$ref'),
        `${JSON.stringify(reference)} is not found: only #/… of the schema itself is`,
      );
    return this.#ruleOf(target, ['#', ...keys!.map(step)].join(''));
  }

  #find(keys: readonly string[]): unknown {
    return keys.reduce<unknown>(
      (at, key) => (typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Fields)[key] : undefined),
      this.#root,
    );
  }

  // oneOf: which of them matches alone is seen when the output is validated.
  #combination(schema: Fields, keyword: 'anyOf' | 'oneOf' | 'allOf', pointer: string): string[] {
    checkKeywords(schema, pointer, [keyword, 'type']);
    const place = pointer + step(keyword);
    const parts = listOf(schema[keyword], place);
    if (keyword === 'allOf' && parts.length > 1) throw refuse(place, 'allOf of more than one schema is not supported');
    if ('type' in schema && !parts.every((part) => isWithin(part, typesOf(schema, pointer))))
      throw refuse(pointer + step('type'), `a type beside ${keyword} must be repeated by each schema in it`);
    return parts.map((part, index) => this.#ruleOf(part, place + step(index)));
  }

  #string(schema: Fields, pointer: string): string {
    const { pattern, format } = schema;
    const { min, max } = countsOf(schema, 'minLength', 'maxLength', pointer);
    const isBounded = min > 0 || max !== undefined;
    if (pattern === undefined && format === undefined)
      return isBounded ? `"\\"" char${times(min, max)} "\\""` : 'string';
    if (isBounded) throw refuse(pointer, 'a length beside a pattern or a format is not supported');
    return `"\\"" (${pattern === undefined ? formatOf(format, pointer) : patternOf(pattern, pointer)}) "\\""`;
  }

  #array(schema: Fields, pointer: string): Alternative {
    const { items = true, prefixItems = [] } = schema;
    const { min, max } = countsOf(schema, 'minItems', 'maxItems', pointer);
    const prefix = listOf(prefixItems, pointer + step('prefixItems'), 0);
    const first = prefix.map((part, index) => this.#ruleOf(part, pointer + step('prefixItems') + step(index)));
    if (max !== undefined && max < first.length)
      throw refuse(pointer + step('maxItems'), 'fewer items than prefixItems has are not supported');
    // All of the prefix comes, though JSON Schema would allow less: that is valid too.
    const rest = { min: Math.max(0, min - first.length), max: max === undefined ? undefined : max - first.length };
    if (items === false && rest.min > 0) throw refuse(pointer + step('minItems'), 'more items than there may be');
    const itemsPlace = 'items' in schema ? pointer + step('items') : pointer;
    const item = items === false || rest.max === 0 ? undefined : this.#ruleOf(items, itemsPlace);
    const more = item === undefined ? '' : this.#items(item, rest, first.length > 0, itemsPlace);
    return {
      text: ['"[" ws', first.join(' comma '), more, 'ws "]"'].filter(Boolean).join(' '),
      needs: item !== undefined && rest.min > 0 ? [...first, item] : first,
    };
  }

  #items(item: string, { min, max }: Counts, isBehindOthers: boolean, pointer: string): string {
    const next = this.#addRule(`comma ${item}`, pointer);
    if (isBehindOthers) return `${next}${times(min, max)}`;
    const list = `${item} ${next}${times(Math.max(0, min - 1), max === undefined ? undefined : max - 1)}`;
    return min === 0 ? `(${list})?` : list;
  }

  #object(schema: Fields, pointer: string): Alternative {
    const properties = fieldsOf(schema['properties'] ?? {}, pointer + step('properties'));
    const required = listOf(schema['required'] ?? [], pointer + step('required'), 0);
    for (const name of required)
      if (typeof name !== 'string' || !Object.hasOwn(properties, name))
        throw refuse(pointer + step('required'), `${JSON.stringify(name)} is not among the properties`);
    if (Object.keys(properties).length > 0) {
      this.#checkPropertyNames(schema, pointer);
      return this.#properties(properties, required, pointer);
    }
    return { text: this.#record(schema, pointer), needs: [] };
  }

  /** Properties in their order; those that aren't required may be left out; others do not come, which is always allowed. */
  #properties(properties: Fields, required: readonly unknown[], pointer: string): Alternative {
    const members = Object.entries(properties).map(([name, schema]) => this.#member(name, schema, pointer));
    const needs = members.filter(({ name }) => required.includes(name)).map(({ value }) => value);
    // What may come from a member on: as the first of the object, or behind others.
    let [asFirst, behind]: [string | undefined, string | undefined] = [undefined, undefined];
    for (const { name, value, place } of members.reverse()) {
      const member = this.#addRule(`${literalOf(JSON.stringify(name))} colon ${value}`, place);
      const withRest = [member, behind].filter(Boolean).join(' ');
      const isRequired = required.includes(name);
      asFirst = this.#addRule(isRequired ? withRest : `${withRest} | ${asFirst ?? '""'}`, place);
      behind = this.#addRule(isRequired ? `comma ${withRest}` : `comma ${withRest} | ${behind ?? '""'}`, place);
    }
    return { text: `"{" ws ${asFirst} ws "}"`, needs };
  }

  #member(name: string, schema: unknown, pointer: string): { name: string; value: string; place: string } {
    const place = pointer + step('properties') + step(name);
    if (name === '__proto__') throw refuse(place, 'the name __proto__ is not supported'); // Ajv passes over it.
    return { name, value: this.#ruleOf(schema, place), place };
  }

  #record(schema: Fields, pointer: string): string {
    const { additionalProperties = true } = schema;
    this.#checkPropertyNames(schema, pointer);
    if (additionalProperties === false) return '"{" ws "}"';
    const value = this.#ruleOf(additionalProperties, pointer + step('additionalProperties'));
    const member = this.#addRule(`string colon ${value}`, pointer + step('additionalProperties'));
    return `"{" ws (${member} (comma ${member})*)? ws "}"`;
  }

  #checkPropertyNames({ propertyNames }: Fields, pointer: string): void {
    if (propertyNames === undefined || JSON.stringify(propertyNames) === '{"type":"string"}') return;
    throw refuse(pointer + step('propertyNames'), 'names of properties can only be any strings');
  }
}

const inner = (name: string): Alternative => ({ text: name, needs: [name], isReference: true });

/** Of `#/…`, a pointer in a URI (RFC 6901, section 6); undefined for what is none. */
function keysOf(reference: string): string[] | undefined {
  if (!/^#(\/|$)/.test(reference)) return undefined;
  try {
    const keys = reference.split('/').slice(1).map(decodeURIComponent);
    return keys.map((key) => key.replace(/~1/g, '/').replace(/~0/g, '~'));
  } catch {
    return undefined; // A percent sign without its two digits.
  }
}

function valuesOf(schema: Fields, keyword: string, values: readonly unknown[], pointer: string): Alternative[] {
  checkKeywords(schema, pointer, [keyword, 'type']);
  checkIsJson(values, pointer + step(keyword));
  const named = 'type' in schema ? typesOf(schema, pointer) : undefined;
  const possible = values.filter((value) => !named || named.some((type) => isOf(type, value)));
  if (possible.length === 0) throw refuse(pointer + step(keyword), 'nothing in it is of the type');
  const texts = new Set(possible.map((value) => literalOf(JSON.stringify(value))));
  return [...texts].map((text) => ({ text, needs: [] }));
}

/** Recurs at most as deep as a schema may be nested. */
function checkIsJson(value: unknown, pointer: string): void {
  if (value === undefined) throw refuse(pointer, 'undefined is no JSON');
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) checkIsJson(child, pointer + step(key));
}

function isOf(type: Type, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type && value !== null && !Array.isArray(value);
}

/** Whether the schema says of itself that it is one of the types. */
function isWithin(schema: unknown, types: readonly Type[]): boolean {
  const { type } = (schema ?? {}) as Fields;
  const own = Array.isArray(type) ? type : [type];
  return (own as Type[]).every((name) => types.includes(name) || (name === 'integer' && types.includes('number')));
}

function checkKeywords(schema: Fields, pointer: string, supported: readonly string[]): void {
  if (pointer === '#') supported = [...supported, '$id'];
  for (const key of Object.keys(schema))
    if (schema[key] !== undefined && !supported.includes(key) && !structure.includes(key))
      throw refuse(pointer + step(key), `the keyword '${key}' can't be enforced here`);
}

function fieldsOf(value: unknown, pointer: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw refuse(pointer, 'an object is expected');
}

function listOf(value: unknown, pointer: string, atLeast = 1): readonly unknown[] {
  if (Array.isArray(value) && value.length >= atLeast) return value;
  throw refuse(pointer, atLeast === 0 ? 'an array is expected' : 'a filled array is expected');
}

/** Without `type`, those that the schema's keywords speak of; none = anything. */
function typesOf(schema: Fields, pointer: string): Type[] {
  const { type } = schema;
  if (type === undefined)
    return types.filter((name) => name !== 'integer' && keywords[name].some((keyword) => keyword in schema));
  const named = (Array.isArray(type) ? type : [type]) as Type[];
  if (named.length > 0 && named.every((name) => types.includes(name))) return named;
  throw refuse(pointer + step('type'), `${JSON.stringify(type)} is no type of JSON Schema`);
}

function times(min: number, max: number | undefined): string {
  return `{${min},${max ?? ''}}`;
}

interface Counts {
  min: number;
  max?: number;
}

function countsOf(schema: Fields, minName: string, maxName: string, pointer: string): Counts {
  const read = (name: string) => {
    const value = schema[name];
    if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= maxCount))
      return value as number | undefined;
    throw refuse(pointer + step(name), `an integer from 0 to ${maxCount} is expected`);
  };
  const [min = 0, max] = [read(minName), read(maxName)];
  if (max !== undefined && max < min) throw refuse(pointer + step(maxName), `it is below ${minName}`);
  return { min, max };
}

function formatOf(format: unknown, pointer: string): string {
  const rule = formats.get(format as string);
  if (rule) return rule;
  const known = [...formats.keys()].join(', ');
  throw refuse(pointer + step('format'), `the format ${JSON.stringify(format)} can't be enforced: ${known} can`);
}

function patternOf(pattern: unknown, pointer: string): string {
  const place = pointer + step('pattern');
  if (typeof pattern !== 'string') throw refuse(place, 'a string is expected');
  return regexToGbnf(pattern, 'u', place, classInString, /*isPart=*/ true);
}

function numberOf(type: 'integer' | 'number', schema: Fields, pointer: string): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const bounds = { minimum, maximum, exclusiveMinimum, exclusiveMaximum };
  for (const [name, value] of Object.entries(bounds))
    if (value !== undefined && !Number.isSafeInteger(value))
      throw refuse(pointer + step(name), 'a bound must be an integer for a grammar to enforce it');
  if (Object.values(bounds).every((bound) => bound === undefined)) return type;
  const or = (value: unknown, other: number) => (value === undefined ? other : (value as number));
  const [low, excludedLow] = [or(minimum, -Infinity), or(exclusiveMinimum, -Infinity)];
  const [high, excludedHigh] = [or(maximum, Infinity), or(exclusiveMaximum, Infinity)];
  const range =
    type === 'integer'
      ? integerRange(Math.max(low, excludedLow + 1), Math.min(high, excludedHigh - 1))
      : realRange({
          low: Math.max(low, excludedLow),
          high: Math.min(high, excludedHigh),
          excludesLow: excludedLow >= low && exclusiveMinimum !== undefined,
          excludesHigh: excludedHigh <= high && exclusiveMaximum !== undefined,
        });
  if (range === undefined) throw refuse(pointer, 'no number is between the bounds');
  return range;
}
