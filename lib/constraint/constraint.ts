import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { OutputIssue } from '../errors.js';
import { ConstraintError, OptionError, OutputError } from '../errors.js';
import { checkArray, checkFilledText, describe, invalid } from '../options/checks.js';
import { literalOf } from './characters.js';
import { regexToGbnf } from './regex.js';
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
      return { grammar: `root ::= ${compileRegex(options.regex)}`, read: asText };
    case 'choices':
      return { grammar: compileChoices(options.choices), read: readChoice(options.choices!) };
    case 'schema':
      return compileSchema(options.schema);
    case undefined:
      return undefined;
  }
}

const asText = async (text: string) => text;

function checkGrammar(grammar: unknown): string {
  const text = checkFilledText('grammar', grammar);
  if (Buffer.byteLength(text) > maxGrammarBytes)
    throw invalid('grammar', grammar, `at most ${maxGrammarBytes} bytes long`);
  return text;
}

function compileRegex(regex: unknown): string {
  if (regex instanceof RegExp) return regexToGbnf(regex.source, regex.flags, 'regex');
  return regexToGbnf(checkFilledText('regex', regex), 'u', 'regex');
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
    grammar,
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
  return {
    grammar: schemaToGbnf(jsonSchemaOf(standard.jsonSchema)),
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

/** Formats are annotations: what the grammar knows of them is already so. */
function compileValidator(schema: object): (value: unknown) => OutputIssue[] {
  try {
    const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
    return (value) =>
      validate(value)
        ? []
        : validate.errors!.map(({ instancePath, message }) => ({ path: instancePath, message: message! }));
  } catch (error) {
    throw new ConstraintError('ERR_SCHEMA', `schema#: ${(error as Error).message}`, '#', { cause: error });
  }
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
