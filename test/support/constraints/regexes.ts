// Random regular expressions.
import type { Choices } from './random.js';

export interface PatternOptions {
  /** Whether it will be read with the flag u. */
  unicode: boolean;
  /** Whether it may be anchored at one end only, as in a JSON Schema. */
  isPart?: boolean;
}

const escapes = [
  '\\d',
  '\\D',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '\\n',
  '\\t',
  '\\x41',
  '\\u00e9',
  '\\cA',
  '\\/',
  '\\.',
  '\\\\',
  '\\0',
];
const members = ['a-f', 'x', '0-9', '\\d', '\\w', '\\s', '\\]', '\\\\', 'é', 'а-я', '\\u2028', '\\x00-\\x1f', '"', '-'];
const literals = ['a', 'b', 'Z', ' ', '"', 'é', '漢', '\\(', '\\*', "'", '1', '&', '~', '='];
const quantifiers = ['*', '+', '?', '{0}', '{1}', '{2}', '{1,3}', '{0,12}', '{3,}', '*?', '+?', '??', '{1,2}?'];

function atom(next: Choices, depth: number, options: PatternOptions): string {
  const astral = options.unicode ? ['👋', '\\u{1f600}', '[👋-👍a]', '[^👋]'] : ['\\u{3}', '\\q', '\\_'];
  return next.pick<() => string>([
    () => next.pick(literals),
    () => next.pick(literals),
    () => next.pick(escapes),
    () => next.pick(['.', ...astral]),
    () => `[${next.pick(['', '', '^'])}${next.list(1, 3, () => next.pick(members)).join('')}]`,
    () => `${next.pick(['(', '(?:'])}${alternatives(next, depth - 1, options)})`,
  ])();
}

function sequence(next: Choices, depth: number, options: PatternOptions): string {
  const units = next.list(depth > 0 ? 0 : 1, depth > 0 ? 4 : 2, () => {
    const unit = atom(next, Math.max(depth, 0), depth > 0 ? options : { ...options });
    return next.percent(30) ? unit + next.pick(quantifiers) : unit;
  });
  return units.join('');
}

function alternatives(next: Choices, depth: number, options: PatternOptions): string {
  if (depth <= 0) return next.pick(literals);
  return next.list(1, 3, () => sequence(next, depth, options)).join('|');
}

/** All of it is supported, but a class may match nothing. */
export function randomPattern(next: Choices, options: PatternOptions): string {
  const count = next.pick([1, 1, 1, 2]);
  const all = Array.from({ length: count }, () => {
    const inner = sequence(next, 2, options);
    return `${next.percent(options.isPart ? 80 : 20) ? '^' : ''}${inner}${next.percent(options.isPart ? 80 : 20) ? '$' : ''}`;
  });
  return all.join('|');
}

const refused = [
  '(?=a)',
  '(?!a)',
  '(?<=a)',
  '(?<!a)',
  '\\b',
  '\\B',
  '(a)\\1',
  '(',
  '[z-a]',
  'a{3,2}',
  '\\p{L}',
  'a{10001}',
  '(^a)',
  'a$b',
];

/** Now and then one that is refused. */
export function randomRegex(next: Choices): RegExp | string {
  const unicode = next.percent(50);
  const source = randomPattern(next, { unicode }) + (next.percent(10) ? next.pick(refused) : '');
  const flags = `${unicode ? 'u' : ''}${next.percent(30) ? 's' : ''}${next.percent(3) ? next.pick(['i', 'm', 'y']) : ''}`;
  if (unicode && next.percent(30)) return source || '(?:)';
  try {
    return new RegExp(source, flags);
  } catch {
    return source || '(?:)';
  }
}
