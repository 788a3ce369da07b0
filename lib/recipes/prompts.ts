// Wordings of the recipes: ours, replaced in part or as a whole by an object or a JSON file of the user's.
import { readFile } from 'node:fs/promises';
import { OptionError } from '../errors.js';
import { checkFields, checkFilledText, checkNames } from '../options/checks.js';

export type Prompts = Readonly<Record<string, string>>;

/** Ours, with those of the user in place of their namesakes. Throws OptionError for a name that there isn't. */
export function withPrompts<P extends Prompts>(ours: P, theirs: Partial<P> | undefined): P {
  if (theirs === undefined) return ours;
  const fields = checkFields('prompts', theirs);
  checkNames('prompts', fields, Object.keys(ours));
  const checked = Object.entries(fields).map(([name, text]) => [name, checkFilledText(`prompts.${name}`, text)]);
  return { ...ours, ...(Object.fromEntries(checked) as Partial<P>) };
}

/**
 * Wordings from a JSON file: an object of texts, or of arrays of lines. `winnow recipe NAME --print-prompts` writes ours as
 * such a file, to be changed. Throws OptionError for what it can't be.
 */
export async function loadPrompts(path: string): Promise<Prompts> {
  const parsed = checkFields(path, parse(path, await readFile(path, 'utf8')));
  return Object.fromEntries(Object.entries(parsed).map(([name, text]) => [name, joinLines(`${path}: ${name}`, text)]));
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `${path} must be a JSON object of texts: ${(error as Error).message}`;
    throw new OptionError('ERR_OPTION_VALUE', message, 'prompts', path);
  }
}

function joinLines(path: string, text: unknown): string {
  return checkFilledText(path, Array.isArray(text) ? text.join('\n') : text);
}

/** Puts the values in the place of `{name}`; other braces stay as they are. */
export function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
