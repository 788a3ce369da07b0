import { OptionError } from '../errors.js';
import { wellFormed } from '../text.js';

// The checks that options.ts is written in. Each returns the checked value or throws; none knows a default.

export type Fields = Record<string, unknown>;

const longestShown = 60; // Characters of a value in a message.

export function describe(value: unknown): string {
  if (typeof value === 'string') return shorten(JSON.stringify(value));
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return shorten(Object.is(value, -0) ? '-0' : String(value));
}

function shorten(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

export function invalid(path: string, value: unknown, allowed: string): OptionError {
  return new OptionError('ERR_OPTION_VALUE', `${path} must be ${allowed}, got ${describe(value)}`, path, value);
}

export function checkFields(path: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(path, value, 'an object');
  return value as Fields;
}

/** Only undefined stands for the default: null is a wrong value like any other. */
export function withDefault<T>(value: T | undefined, defaultValue: T): T {
  return value === undefined ? defaultValue : value;
}

/** Throws for the first name that isn't known, with the nearest one that is. */
export function checkNames(path: string, fields: Fields, known: readonly string[]): void {
  for (const name of Object.keys(fields)) if (!known.includes(name)) throw unknownName(path, name, fields[name], known);
}

function unknownName(path: string, name: string, value: unknown, known: readonly string[]): OptionError {
  const nearest = nearestName(name, known);
  const advice = nearest ? `Did you mean ${nearest}?` : `Known are ${known.join(', ')}.`;
  const option = path === 'options' ? name : `${path}.${name}`;
  return new OptionError('ERR_OPTION_UNKNOWN', `Unknown option ${option}. ${advice}`, option, value);
}

function nearestName(name: string, known: readonly string[]): string | undefined {
  const distances = known.map((candidate) => editDistance(name.toLowerCase(), candidate.toLowerCase()));
  const best = Math.min(...distances);
  return best <= Math.max(2, name.length / 3) ? known[distances.indexOf(best)] : undefined;
}

/** Levenshtein's distance, row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

export function checkInteger(path: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value + 0;
  throw invalid(
    path,
    value,
    max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`,
  );
}

/** Numbers that go down as float32 must be finite there too. */
export function checkNumber(
  path: string,
  value: unknown,
  allowed: string,
  isAllowed: (value: number) => boolean,
): number {
  if (typeof value === 'number' && Number.isFinite(Math.fround(value)) && isAllowed(value)) return value;
  throw invalid(path, value, allowed);
}

export function checkBoolean(path: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalid(path, value, 'true or false');
  return value;
}

/** The text, well formed: lone surrogates become U+FFFD. */
export function checkText(path: string, value: unknown, allowed = 'a string'): string {
  if (typeof value !== 'string') throw invalid(path, value, allowed);
  return wellFormed(value);
}

export function checkFilledText(path: string, value: unknown): string {
  const text = checkText(path, value, 'a non-empty string');
  if (text === '') throw invalid(path, value, 'a non-empty string');
  return text;
}

export function checkOneOf<T extends string>(path: string, value: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(value as T))
    throw invalid(path, value, `one of ${allowed.map((name) => `'${name}'`).join(', ')}`);
  return value as T;
}

export function checkFunction<T extends (...args: never[]) => unknown>(path: string, value: unknown): T {
  if (typeof value !== 'function') throw invalid(path, value, 'a function');
  return value as T;
}

export function checkSignal(path: string, value: unknown): AbortSignal {
  const signal = value as AbortSignal | null;
  const isSignal = typeof signal === 'object' && signal !== null && 'aborted' in signal && 'addEventListener' in signal;
  if (!isSignal) throw invalid(path, value, 'an AbortSignal');
  return signal;
}

export function checkArray(path: string, value: unknown, min: number, max: number, of: string): readonly unknown[] {
  const fits = Array.isArray(value) && value.length >= min && value.length <= max;
  if (!fits) throw invalid(path, value, `an array of ${min} to ${max} ${of}`);
  return value;
}

/** Entries of a plain record; keys in their own order. */
export function checkEntries(path: string, value: unknown, min: number, max: number, of: string): [string, unknown][] {
  const entries = Object.entries(checkFields(path, value));
  if (entries.length >= min && entries.length <= max) return entries;
  throw new OptionError(
    'ERR_OPTION_VALUE',
    `${path} must have ${min} to ${max} ${of}, got ${entries.length}`,
    path,
    value,
  );
}

/** Token ids of this vocabulary, copied. */
export function checkTokens(path: string, value: unknown, vocabularySize: number): Int32Array {
  if (!Array.isArray(value) && !(value instanceof Int32Array))
    throw invalid(path, value, 'an array of token ids or an Int32Array');
  for (let index = 0; index < value.length; index++)
    checkInteger(`${path}[${index}]`, value[index], 0, vocabularySize - 1);
  return Int32Array.from(value);
}
