// Sets of characters, and how GBNF writes them.

/** Code points, both ends included; sorted, apart from each other, without surrogates. */
export type CharacterSet = readonly (readonly [number, number])[];

const last = 0x10ffff;
const surrogates: CharacterSet = [[0xd800, 0xdfff]];

export function characterSet(ranges: readonly (readonly [number, number])[]): CharacterSet {
  return subtract(merge(ranges), surrogates);
}

export function complement(set: CharacterSet): CharacterSet {
  return characterSet(gaps(set));
}

export function subtract(set: CharacterSet, other: CharacterSet): CharacterSet {
  return gaps(merge([...gaps(set), ...other]));
}

export function contains(set: CharacterSet, codePoint: number): boolean {
  return set.some(([from, to]) => codePoint >= from && codePoint <= to);
}

function merge(ranges: readonly (readonly [number, number])[]): [number, number][] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    const before = merged.at(-1);
    if (before && from <= before[1] + 1) before[1] = Math.max(before[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

function gaps(set: CharacterSet): [number, number][] {
  const rest: [number, number][] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) rest.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= last) rest.push([next, last]);
  return rest;
}

/** A class of GBNF. Precondition: not empty. */
export function classOf(set: CharacterSet): string {
  const parts = set.map(([from, to]) => (from === to ? escape(from) : `${escape(from)}-${escape(to)}`));
  return `[${parts.join('')}]`;
}

/** A literal of GBNF. */
export function literalOf(text: string): string {
  return `"${Array.from(text, (character) => escape(character.codePointAt(0)!)).join('')}"`;
}

function escape(codePoint: number): string {
  const isPlain = /^[\w ,:;{}()<>=+*/.!?@#$%&|~'`]$/.test(String.fromCodePoint(codePoint));
  if (isPlain) return String.fromCodePoint(codePoint);
  const hex = codePoint.toString(16);
  if (codePoint < 0x80) return `\\x${hex.padStart(2, '0')}`;
  return codePoint < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
