import type { AST } from '@eslint-community/regexpp';
import { RegExpParser } from '@eslint-community/regexpp';
import { ConstraintError } from '../errors.js';
import type { CharacterSet } from './characters.js';
import { characterSet, classOf, complement, subtract } from './characters.js';
import { placeOf } from './limits.js';

// A regular expression as GBNF. It is matched as a whole: ^ and $ at its ends say nothing new.

const maxPatternLength = 1024;
const maxDepth = 60; // Groups and repetitions inside each other; each is a pair of parentheses.
const maxRepetitions = 10_000;

/** How one character of the text that is matched is written in the output. */
export type WriteSet = (set: CharacterSet) => string;

const digits = characterSet([[48, 57]]);
const wordCharacters = characterSet([...digits, [65, 90], [95, 95], [97, 122]]);
const spaces = characterSet([
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);
const newlines = characterSet([
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
]);

/**
 * An expression of GBNF. `pointer`: the pattern's place. `isPart`: as JSON Schema has it, a pattern that is not
 * anchored matches anywhere in the text. Throws ConstraintError ERR_REGEX for what is no regular language, or not ours.
 */
export function regexToGbnf(
  pattern: string,
  flags: string,
  pointer: string,
  writeSet = classOf,
  isPart = false,
): string {
  if (pattern.length > maxPatternLength)
    throw refusal(pointer, `the pattern has ${pattern.length} characters; at most ${maxPatternLength} are accepted`);
  if (/[^usdg]/.test(flags)) throw refusal(pointer, `the flags '${flags}': only u, s, d and g are supported`);
  const tree = parse(pattern, flags.includes('u'), pointer);
  return new RegexWriter(pointer, flags, writeSet, isPart).write(tree);
}

function parse(pattern: string, unicode: boolean, pointer: string): AST.Pattern {
  try {
    return new RegExpParser({ ecmaVersion: 2024 }).parsePattern(pattern, 0, pattern.length, { unicode });
  } catch (error) {
    throw refusal(pointer, (error as Error).message, { cause: error });
  }
}

/** Of a pattern that comes without: Unicode mode, unless it is only valid without it. */
export function flagsOf(pattern: string): string {
  try {
    new RegExp(pattern, 'u');
    return 'u';
  } catch {
    return '';
  }
}

function refusal(pointer: string, what: string, options?: ErrorOptions): ConstraintError {
  return new ConstraintError('ERR_REGEX', `${placeOf(pointer)}: ${what}`, pointer, options);
}

class RegexWriter {
  readonly #pointer: string;
  readonly #dotMatchesAll: boolean;
  readonly #writeSet: WriteSet;
  readonly #isPart: boolean;
  readonly #all: CharacterSet; // Without the u flag, what lies beyond U+FFFF is two characters.

  constructor(pointer: string, flags: string, writeSet: WriteSet, isPart: boolean) {
    this.#pointer = pointer;
    this.#dotMatchesAll = flags.includes('s');
    this.#all = flags.includes('u') ? complement([]) : characterSet([[0, 0xffff]]);
    this.#writeSet = writeSet;
    this.#isPart = isPart;
  }

  write({ alternatives }: AST.Pattern): string {
    return alternatives.map((alternative) => this.#anchored(alternative)).join(' | ');
  }

  #anchored({ elements }: AST.Alternative): string {
    const isEdge = (element: AST.Element | undefined, kind: 'start' | 'end') =>
      element?.type === 'Assertion' && element.kind === kind;
    const begins = isEdge(elements[0], 'start');
    const ends = isEdge(elements.at(-1), 'end') && elements.length > (begins ? 1 : 0);
    const inner = this.#sequence(elements.slice(begins ? 1 : 0, ends ? -1 : undefined), 1);
    const anything = this.#isPart ? `${this.#writeSet(this.#all)}*` : '';
    return [begins ? '' : anything, inner, ends ? '' : anything].filter(Boolean).join(' ') || '""';
  }

  #sequence(elements: readonly AST.Element[], depth: number): string {
    if (depth > maxDepth) throw this.#refusal('is nested too deep');
    return elements.map((element) => this.#element(element, depth)).join(' ') || '""';
  }

  #alternatives(alternatives: readonly AST.Alternative[], depth: number): string {
    return `(${alternatives.map(({ elements }) => this.#sequence(elements, depth + 1)).join(' | ')})`;
  }

  #element(element: AST.Element, depth: number): string {
    switch (element.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        return this.#set(element);
      case 'Group':
        if (element.modifiers) throw this.#refusal(`${element.raw}: modifiers are not supported`);
        return this.#alternatives(element.alternatives, depth);
      case 'CapturingGroup':
        return this.#alternatives(element.alternatives, depth);
      case 'Quantifier':
        return this.#quantifier(element, depth);
      default:
        throw this.#refusal(`${element.raw} is not supported: ${reasons[element.type] ?? 'it is no regular language'}`);
    }
  }

  #quantifier({ element, min, max, raw }: AST.Quantifier, depth: number): string {
    if (min > maxRepetitions || (max !== Infinity && max > maxRepetitions))
      throw this.#refusal(`${raw} repeats more than ${maxRepetitions} times`);
    const times = max === Infinity ? `{${min},}` : `{${min},${max}}`;
    return `(${this.#sequence([element], depth + 1)})${times}`;
  }

  #set(element: AST.Character | AST.CharacterSet | AST.CharacterClass | AST.ExpressionCharacterClass): string {
    const set = this.#membersOf(element);
    if (isSurrogate(element)) throw this.#refusal(`${element.raw} is half a character: give the flag u`);
    if (set.length === 0) throw this.#refusal(`${element.raw} matches nothing`);
    return this.#writeSet(set);
  }

  #membersOf(element: AST.CharacterClassElement | AST.Element | AST.ClassStringDisjunction): CharacterSet {
    if (element.type === 'Character') return characterSet([[element.value, element.value]]);
    if (element.type === 'CharacterClassRange') return characterSet([[element.min.value, element.max.value]]);
    if (element.type === 'CharacterSet') return this.#named(element);
    if (element.type === 'CharacterClass' && !element.unicodeSets) {
      const members = characterSet(element.elements.flatMap((member) => [...this.#membersOf(member)]));
      return element.negate ? subtract(this.#all, members) : members;
    }
    throw this.#refusal(`${element.raw} is not supported`);
  }

  #named(element: AST.CharacterSet): CharacterSet {
    if (element.kind === 'any') return this.#dotMatchesAll ? this.#all : subtract(this.#all, newlines);
    if (element.kind === 'property')
      throw this.#refusal(`${element.raw} is not supported: write its characters as a class`);
    const set = { digit: digits, space: spaces, word: wordCharacters }[element.kind];
    return element.negate ? subtract(this.#all, set) : set;
  }

  #refusal(what: string): ConstraintError {
    return refusal(this.#pointer, what);
  }
}

const isSurrogate = (element: { type: string; value?: unknown }) =>
  element.type === 'Character' && (element.value as number) >= 0xd800 && (element.value as number) <= 0xdfff;

const reasons: Record<string, string> = {
  Assertion: 'assertions are understood only as ^ and $ at the ends',
  Backreference: 'what a group matched is not remembered',
};
