import type { AST } from '@eslint-community/regexpp';
import { RegExpParser } from '@eslint-community/regexpp';
import { ConstraintError } from '../errors.js';
import type { CharacterSet } from './characters.js';
import { characterSet, classOf, complement, subtract } from './characters.js';

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
 * An expression of GBNF. `place`: of the pattern, for messages. `isPart`: as JSON Schema has it, a pattern that is not
 * anchored matches anywhere in the text. Throws ConstraintError ERR_REGEX for what is no regular language, or not ours.
 */
export function regexToGbnf(pattern: string, flags: string, place: string, writeSet = classOf, isPart = false): string {
  if (pattern.length > maxPatternLength)
    throw refusal(place, `the pattern has ${pattern.length} characters; at most ${maxPatternLength} are accepted`);
  if (/[^usdg]/.test(flags)) throw refusal(place, `the flags '${flags}': only u, s, d and g are supported`);
  const tree = parse(pattern, place);
  return new RegexWriter(place, flags.includes('s'), writeSet, isPart).write(tree);
}

function parse(pattern: string, place: string): AST.Pattern {
  try {
    // In Unicode mode characters are code points; patterns that are only valid without it are read without.
    return new RegExpParser({ ecmaVersion: 2024 }).parsePattern(pattern, 0, pattern.length, {
      unicode: isUnicode(pattern),
    });
  } catch (error) {
    throw new ConstraintError('ERR_REGEX', `${place}: ${(error as Error).message}`, place, { cause: error });
  }
}

function isUnicode(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
}

function refusal(place: string, what: string): ConstraintError {
  return new ConstraintError('ERR_REGEX', `${place}: ${what}`, place);
}

class RegexWriter {
  readonly #place: string;
  readonly #dotMatchesAll: boolean;
  readonly #writeSet: WriteSet;
  readonly #isPart: boolean;

  constructor(place: string, dotMatchesAll: boolean, writeSet: WriteSet, isPart: boolean) {
    this.#place = place;
    this.#dotMatchesAll = dotMatchesAll;
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
    const anything = this.#isPart ? `${this.#writeSet(complement([]))}*` : '';
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
    if (set.length === 0) throw this.#refusal(`${element.raw} matches nothing`);
    return this.#writeSet(set);
  }

  #membersOf(element: AST.CharacterClassElement | AST.Element | AST.ClassStringDisjunction): CharacterSet {
    if (element.type === 'Character') return characterSet([[element.value, element.value]]);
    if (element.type === 'CharacterClassRange') return characterSet([[element.min.value, element.max.value]]);
    if (element.type === 'CharacterSet') return this.#named(element);
    if (element.type === 'CharacterClass' && !element.unicodeSets) {
      const members = characterSet(element.elements.flatMap((member) => [...this.#membersOf(member)]));
      return element.negate ? complement(members) : members;
    }
    throw this.#refusal(`${element.raw} is not supported`);
  }

  #named(element: AST.CharacterSet): CharacterSet {
    if (element.kind === 'any') return this.#dotMatchesAll ? complement([]) : subtract(complement([]), newlines);
    if (element.kind === 'property')
      throw this.#refusal(`${element.raw} is not supported: write its characters as a class`);
    const set = { digit: digits, space: spaces, word: wordCharacters }[element.kind];
    return element.negate ? complement(set) : set;
  }

  #refusal(what: string): ConstraintError {
    return refusal(this.#place, what);
  }
}

const reasons: Record<string, string> = {
  Assertion: 'assertions are understood only as ^ and $ at the ends',
  Backreference: 'what a group matched is not remembered',
};
