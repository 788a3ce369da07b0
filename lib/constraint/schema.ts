import { ConstraintError } from '../errors.js';
import { literalOf } from './characters.js';
import { classInString, jsonRules } from './json-text.js';
import { checkSchemaSize, step } from './limits.js';
import { integerRange, realRange } from './numbers.js';
import { regexToGbnf } from './regex.js';

// A JSON Schema as GBNF. A keyword that the grammar can't enforce is refused by its place, never skipped.

type Fields = Record<string, unknown>;

const annotations = ['title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly', '$comment'];
const structure = ['$schema', '$id', '$defs', 'definitions', ...annotations];
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
const formats: Record<string, string> = {
  date: dateRule,
  time: timeRule,
  'date-time': `${dateRule} "T" ${timeRule}`,
  uuid: 'hex{8} "-" hex{4} "-" [1-8] hex{3} "-" [89abAB] hex{3} "-" hex{12}',
};
const maxCount = 10_000; // Characters and items that a bound may name.

/** GBNF whose root is the schema's value. Throws ConstraintError ERR_SCHEMA and ERR_REGEX, by JSON pointer. */
export function schemaToGbnf(schema: unknown): string {
  checkSchemaSize(schema);
  return new SchemaWriter(schema).write();
}

class SchemaWriter {
  readonly #root: unknown;
  readonly #rules: string[] = [];
  readonly #names = new Map<object, string>(); // Of schemas that are written or being written: they may be recursive.

  constructor(root: unknown) {
    this.#root = root;
  }

  write(): string {
    const root = this.#ruleOf(this.#root, '#');
    const shared = Object.entries(jsonRules).map(([name, rule]) => `${name} ::= ${rule}`);
    return [`root ::= ${root}`, ...shared, ...this.#rules].join('\n');
  }

  #ruleOf(schema: unknown, pointer: string): string {
    if (schema === true) return 'value';
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
      throw refuse(pointer, schema === false ? 'false matches nothing' : 'a schema must be an object');
    const known = this.#names.get(schema);
    if (known) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(schema, name);
    const index = this.#rules.push('') - 1;
    this.#rules[index] = `${name} ::= ${this.#expressionOf(schema as Fields, pointer)}`;
    return name;
  }

  #addRule(expression: string): string {
    const name = `p${this.#rules.length}`;
    this.#rules.push(`${name} ::= ${expression}`);
    return name;
  }

  #expressionOf(schema: Fields, pointer: string): string {
    if ('$ref' in schema) return this.#reference(schema, pointer);
    for (const keyword of ['anyOf', 'oneOf', 'allOf'] as const)
      if (keyword in schema) return this.#combination(schema, keyword, pointer);
    if ('const' in schema) return this.#values(schema, 'const', [schema['const']], pointer);
    if ('enum' in schema) return this.#values(schema, 'enum', listOf(schema['enum'], pointer + step('enum')), pointer);
    const named = typesOf(schema, pointer);
    checkKeywords(schema, pointer, ['type', ...named.flatMap((type) => keywords[type])]);
    if (named.length === 0) return 'value';
    return named.map((type) => `(${this.#typed(type, schema, pointer)})`).join(' | ');
  }

  #typed(type: Type, schema: Fields, pointer: string): string {
    switch (type) {
      case 'string':
        return this.#string(schema, pointer);
      case 'integer':
      case 'number':
        return numberOf(type, schema, pointer);
      case 'array':
        return this.#array(schema, pointer);
      case 'object':
        return this.#object(schema, pointer);
      default:
        return type;
    }
  }

  #reference(schema: Fields, pointer: string): string {
    checkKeywords(schema, pointer, ['$ref']);
    const { $ref: reference } = schema;
    const target = typeof reference === 'string' && /^#(\/|$)/.test(reference) ? this.#find(reference) : undefined;
    if (target === undefined)
      throw refuse(
        pointer + step('$ref'),
        `${JSON.stringify(reference)} is not found: only #/… of the schema itself is`,
      );
    return this.#ruleOf(target, reference as string);
  }

  #find(reference: string): unknown {
    const keys = reference.split('/').slice(1);
    return keys.reduce<unknown>((at, key) => {
      const name = decodeURIComponent(key).replace(/~1/g, '/').replace(/~0/g, '~');
      return typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? (at as Fields)[name] : undefined;
    }, this.#root);
  }

  // oneOf: which of them matches alone is seen when the output is validated.
  #combination(schema: Fields, keyword: 'anyOf' | 'oneOf' | 'allOf', pointer: string): string {
    checkKeywords(schema, pointer, [keyword, 'type']);
    const place = pointer + step(keyword);
    const parts = listOf(schema[keyword], place);
    if (keyword === 'allOf' && parts.length > 1) throw refuse(place, 'allOf of more than one schema is not supported');
    return parts.map((part, index) => this.#ruleOf(part, place + step(index))).join(' | ');
  }

  #values(schema: Fields, keyword: string, values: readonly unknown[], pointer: string): string {
    checkKeywords(schema, pointer, [keyword, 'type']);
    return values.map((value) => literalOf(JSON.stringify(value))).join(' | ');
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

  #array(schema: Fields, pointer: string): string {
    const { items = true, prefixItems = [] } = schema;
    const { min, max } = countsOf(schema, 'minItems', 'maxItems', pointer);
    const prefix = listOf(prefixItems, pointer + step('prefixItems'), 0);
    const first = prefix.map((part, index) => this.#ruleOf(part, pointer + step('prefixItems') + step(index)));
    if (max !== undefined && max < first.length)
      throw refuse(pointer + step('maxItems'), 'fewer items than prefixItems has are not supported');
    // All of the prefix comes, though JSON Schema would allow less: that is valid too.
    const rest = { min: Math.max(0, min - first.length), max: max === undefined ? undefined : max - first.length };
    if (items === false && rest.min > 0) throw refuse(pointer + step('minItems'), 'more items than there may be');
    const isClosed = items === false || rest.max === 0;
    const more = isClosed ? '' : this.#items(this.#ruleOf(items, pointer + step('items')), rest, first.length > 0);
    return ['"[" ws', first.join(' comma '), more, 'ws "]"'].filter(Boolean).join(' ');
  }

  #items(item: string, { min, max }: { min: number; max?: number }, isBehindOthers: boolean): string {
    const next = this.#addRule(`comma ${item}`);
    if (isBehindOthers) return `${next}${times(min, max)}`;
    const list = `${item} ${next}${times(Math.max(0, min - 1), max === undefined ? undefined : max - 1)}`;
    return min === 0 ? `(${list})?` : list;
  }

  #object(schema: Fields, pointer: string): string {
    const properties = fieldsOf(schema['properties'] ?? {}, pointer + step('properties'));
    const required = listOf(schema['required'] ?? [], pointer + step('required'), 0);
    for (const name of required)
      if (typeof name !== 'string' || !Object.hasOwn(properties, name))
        throw refuse(pointer + step('required'), `${JSON.stringify(name)} is not among the properties`);
    if (Object.keys(properties).length > 0) {
      this.#checkPropertyNames(schema, pointer);
      return this.#properties(properties, required, pointer);
    }
    return this.#record(schema, pointer);
  }

  /** Properties in their order; those that aren't required may be left out; others do not come, which is always allowed. */
  #properties(properties: Fields, required: readonly unknown[], pointer: string): string {
    const members = Object.entries(properties).map(([name, schema]) => ({
      text: `${literalOf(JSON.stringify(name))} colon ${this.#ruleOf(schema, pointer + step('properties') + step(name))}`,
      isRequired: required.includes(name),
    }));
    // What may come from a member on: as the first of the object, or behind others.
    let [asFirst, behind]: [string | undefined, string | undefined] = [undefined, undefined];
    for (const { text, isRequired } of members.reverse()) {
      const member = this.#addRule(text);
      const withRest = [member, behind].filter(Boolean).join(' ');
      asFirst = this.#addRule(isRequired ? withRest : `${withRest} | ${asFirst ?? '""'}`);
      behind = this.#addRule(isRequired ? `comma ${withRest}` : `comma ${withRest} | ${behind ?? '""'}`);
    }
    return `"{" ws ${asFirst} ws "}"`;
  }

  #record(schema: Fields, pointer: string): string {
    const { additionalProperties = true } = schema;
    this.#checkPropertyNames(schema, pointer);
    if (additionalProperties === false) return '"{" ws "}"';
    const value = this.#ruleOf(additionalProperties, pointer + step('additionalProperties'));
    const member = this.#addRule(`string colon ${value}`);
    return `"{" ws (${member} (comma ${member})*)? ws "}"`;
  }

  #checkPropertyNames({ propertyNames }: Fields, pointer: string): void {
    if (propertyNames === undefined || JSON.stringify(propertyNames) === '{"type":"string"}') return;
    throw refuse(pointer + step('propertyNames'), 'names of properties can only be any strings');
  }
}

function refuse(pointer: string, why: string): ConstraintError {
  return new ConstraintError('ERR_SCHEMA', `schema${pointer}: ${why}`, pointer);
}

function checkKeywords(schema: Fields, pointer: string, supported: readonly string[]): void {
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

function countsOf(schema: Fields, minName: string, maxName: string, pointer: string): { min: number; max?: number } {
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
  const rule = typeof format === 'string' ? formats[format] : undefined;
  if (rule) return rule;
  const known = Object.keys(formats).join(', ');
  throw refuse(pointer + step('format'), `the format ${JSON.stringify(format)} can't be enforced: ${known} can`);
}

function patternOf(pattern: unknown, pointer: string): string {
  const place = `schema${pointer}${step('pattern')}`;
  if (typeof pattern !== 'string') throw refuse(pointer + step('pattern'), 'a string is expected');
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
