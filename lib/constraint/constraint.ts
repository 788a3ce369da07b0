import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { OutputIssue } from '../errors.js';
import { ConstraintError, OptionError, OutputError } from '../errors.js';
import { checkArray, checkFilledText, describe, invalid } from '../options/checks.js';
import { literalOf } from './characters.js';
import { placeOf, refuse, step } from './limits.js';
import { flagsOf, regexToGbnf } from './regex.js';
import type { SchemaGrammar } from './schema.js';
import { schemaToGbnf } from './schema.js';

/** A JSON Schema (2020-12) as a plain object. */
export type JsonSchema = Readonly<Record<string, unknown>> & { readonly '~standard'?: undefined };
/** A schema of zod ≥ 4.2, ArkType ≥ 2.1.28 or whoever else gives its JSON Schema by the standard (standardschema.dev). */
export type StandardSchema<Output = unknown> = StandardSchemaV1<unknown, Output>;

/** What an answer keeps to, token by token: at most one of these. */
export interface ConstraintOptions {
  /** GBNF, llama.cpp's notation for grammars, up to 64 KiB. @default none */
  grammar?: string;
  /** The whole answer matches it: no assertions but ^ and $, no back-references, up to 1,024 characters. @default none */
  regex?: string | RegExp;
  /** The answer is one of these texts. @default none */
  choices?: readonly string[];
  /** The answer is JSON of this schema, validated when it is read by `value()`. @default none */
  schema?: JsonSchema | StandardSchema;
}

/** @internal */
export interface Constraint {
  grammar: string;
  /** The answer's value. Rejects with OutputError. */
  read: (text: string) => Promise<unknown>;
  /** The engine's word on the grammar, as one on what the grammar was made of. @default as it is */
  explain?: (error: unknown) => unknown;
}

const names = ['grammar', 'regex', 'choices', 'schema'] as const;
const maxGrammarBytes = 64 * 1024;
const maxChoices = 1000;

/** Throws OptionError, and ConstraintError for what is understood but can't be enforced. */
export function resolveConstraint(options: ConstraintOptions): Constraint | undefined {
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length > 1)
    throw new OptionError('ERR_OPTION_VALUE', `Give only one of ${given.join(' and ')}`, given[1], options[given[1]]);
  switch (given[0]) {
    case 'grammar':
      return { grammar: checkGrammar(options.grammar), read: asText };
    case 'regex':
      return {
        grammar: `root ::= ${compileRegex(options.regex)}`,
        read: asText,
        explain: explainBy('ERR_REGEX', () => 'regex'),
      };
    case 'choices':
      return {
        grammar: compileChoices(options.choices),
        read: readChoice(options.choices!),
        explain: explainBy('ERR_GRAMMAR', () => 'choices'),
      };
    case 'schema':
      return compileSchema(options.schema);
    case undefined:
      return undefined;
  }
}

const asText = async (text: string) => text;

/** `pointerOf`: what a line of the grammar was made of. */
function explainBy(
  code: ConstructorParameters<typeof ConstraintError>[0],
  pointerOf: (line: number) => string,
): Constraint['explain'] {
  return (error) => {
    if (!(error instanceof ConstraintError) || error.line === undefined) return error;
    const pointer = pointerOf(error.line);
    const what = error.message.replace(/^Grammar, line \d+, column \d+: /, '');
    return new ConstraintError(code, `${placeOf(pointer)}: ${what}`, pointer, { cause: error });
  };
}

const explainSchema = ({ places }: SchemaGrammar) => explainBy('ERR_SCHEMA', (line) => places[line - 1] ?? '#');

function checkGrammar(grammar: unknown): string {
  const text = checkFilledText('grammar', grammar);
  if (Buffer.byteLength(text) > maxGrammarBytes)
    throw invalid('grammar', grammar, `at most ${maxGrammarBytes} bytes long`);
  return text;
}

function compileRegex(regex: unknown): string {
  if (regex instanceof RegExp) return regexToGbnf(regex.source, regex.flags, 'regex');
  const pattern = checkFilledText('regex', regex);
  return regexToGbnf(pattern, flagsOf(pattern), 'regex');
}

function compileChoices(choices: unknown): string {
  const texts = checkArray('choices', choices, 1, maxChoices, 'texts').map((text, index) =>
    checkFilledText(`choices[${index}]`, text),
  );
  return `root ::= ${texts.map(literalOf).join(' | ')}`;
}

function readChoice(choices: readonly string[]): Constraint['read'] {
  return async (text) => {
    if (choices.includes(text)) return text;
    throw new OutputError(text, [{ path: '', message: `${describe(text)} is none of the choices: it was cut off` }]);
  };
}

function compileSchema(schema: unknown): Constraint {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null || Array.isArray(schema))
    throw invalid('schema', schema, 'a JSON Schema or a Standard Schema');
  if ('~standard' in schema) return compileStandard(schema as StandardSchema);
  const grammar = schemaToGbnf(schema);
  const validate = compileValidator(schema);
  return {
    grammar: grammar.text,
    explain: explainSchema(grammar),
    read: async (text) => {
      const value = parse(text);
      const issues = validate(value);
      if (issues.length > 0) throw new OutputError(text, issues);
      return value;
    },
  };
}

function compileStandard(schema: StandardSchema): Constraint {
  const standard = schema['~standard'] as StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props>;
  if (!standard.jsonSchema)
    throw new ConstraintError(
      'ERR_SCHEMA',
      `Schemas of ${standard.vendor} don't give their JSON Schema by the standard. Pass the JSON Schema itself.`,
      '#',
    );
  const grammar = schemaToGbnf(jsonSchemaOf(standard.jsonSchema));
  return {
    grammar: grammar.text,
    explain: explainSchema(grammar),
    read: async (text) => {
      const result = await standard.validate(parse(text));
      if (result.issues) throw new OutputError(text, result.issues.map(toIssue));
      return result.value;
    },
  };
}

function jsonSchemaOf({ input }: StandardJSONSchemaV1.Converter): unknown {
  try {
    return input({ target: 'draft-2020-12' });
  } catch (error) {
    throw new ConstraintError('ERR_SCHEMA', `The schema is no JSON Schema: ${(error as Error).message}`, '#', {
      cause: error,
    });
  }
}

function toIssue({ message, path }: StandardSchemaV1.Issue): OutputIssue {
  const keys = (path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  return { path: keys.map((key) => `/${String(key)}`).join(''), message };
}

// Of patterns and formats every output is already so: a pattern that takes exponential time would stop the process here.
// Only a oneOf has to know which of its schemas a text matches.
const holds = Object.assign(() => ({ test: () => true }), { code: 'holds' });
const ajvOptions = {
  strict: false,
  allErrors: true,
  validateFormats: false,
  ownProperties: true, // An object has no property 'toString' because its prototype has.
} as const;
let metaSchemas: Ajv2020 | undefined; // They take tens of milliseconds to compile: once, when the first schema comes.

function compileValidator(schema: object): (value: unknown) => OutputIssue[] {
  metaSchemas ??= new Ajv2020(ajvOptions);
  try {
    if (!metaSchemas.validateSchema(schema)) {
      const [{ instancePath, message }] = metaSchemas.errors!;
      throw refuse(`#${instancePath}`, message!);
    }
    const regExp = JSON.stringify(schema).includes('"oneOf"') ? undefined : holds;
    const options = { ...ajvOptions, code: { regExp }, meta: false, validateSchema: false };
    return issuesBy(new Ajv2020(options).compile(schema));
  } catch (error) {
    if (error instanceof ConstraintError) throw error;
    const place = /^no schema with key or ref/.test((error as Error).message) ? `#${step('$schema')}` : '#';
    throw new ConstraintError('ERR_SCHEMA', `${placeOf(place)}: ${(error as Error).message}`, place, { cause: error });
  }
}

function issuesBy(validate: ValidateFunction): (value: unknown) => OutputIssue[] {
  return (value) => {
    try {
      if (validate(value)) return [];
    } catch (error) {
      if (error instanceof RangeError) return [{ path: '', message: 'it is nested too deep to be validated' }];
      throw error;
    }
    return validate.errors!.map(({ instancePath, message }) => ({ path: instancePath, message: message! }));
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OutputError(text, [{ path: '', message: `it is no JSON: ${(error as Error).message}` }], {
      cause: error,
    });
  }
}
