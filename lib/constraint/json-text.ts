import type { CharacterSet } from './characters.js';
import { characterSet, classOf, contains, literalOf, subtract } from './characters.js';

// Parts of JSON as rules of GBNF. One space at most where JSON allows any: a model can't lose itself in blanks.

/** Name → rule. */
export const jsonRules = {
  ws: '" "?',
  comma: '"," ws',
  colon: '":" ws',
  hex: '[0-9a-fA-F]',
  // Without surrogates, so that one character of the value is one repetition.
  escape: String.raw`"\\" (["\\/bfnrt] | "u" ([0-9a-cA-CeEfF] hex{3} | [dD] [0-7] hex{2}))`,
  char: String.raw`[^"\\\x00-\x1f\x7f] | escape`,
  string: String.raw`"\"" char* "\""`,
  natural: '"0" | [1-9] [0-9]{0,14}',
  fraction: '"." [0-9]{1,15}',
  exponent: '[eE] [-+]? [0-9]{1,2}',
  integer: '"-"? natural',
  number: '"-"? natural fraction? exponent?',
  boolean: '"true" | "false"',
  null: '"null"',
  object: '"{" ws (member (comma member)*)? ws "}"',
  member: 'string colon value',
  array: '"[" ws (value (comma value)*)? ws "]"',
  value: 'object | array | string | number | boolean | null',
} as const;

const mustBeEscaped = characterSet([
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
]);
const shortEscapes = ['\b', '\t', '\n', '\f', '\r', '"', '\\'];
const controls = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code));

/**
 * One character of the set, as it is written between the quotes of a JSON string. Control characters without a short
 * escape come only where the set has nothing else. Precondition: not empty.
 */
export function classInString(set: CharacterSet): string {
  const plain = subtract(set, mustBeEscaped);
  const isIn = (character: string) => contains(set, character.charCodeAt(0));
  const short = shortEscapes.filter(isIn);
  const escaped = plain.length > 0 || short.length > 0 ? short : controls.filter(isIn);
  const ways = escaped.map((character) => literalOf(JSON.stringify(character).slice(1, -1)));
  if (plain.length > 0) ways.unshift(classOf(plain));
  return ways.length === 1 ? ways[0] : `(${ways.join(' | ')})`;
}
