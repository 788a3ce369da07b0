// Random grammars in GBNF: some in order, others damaged, too deep or too large.
import type { Choices } from './random.js';

const literals = ['"a"', '"bc"', '"\\n"', '"é👋"', '"\\u00e9"', '"\\U0001f44b"', '"\\x41"', '""', '"\\"\\\\"'];
const classes = ['[a-z]', '[^a-z]', '[a\\]b]', '[é-ü]', '[^]', '.', '[\\x00-\\x1f]', '[👋-👍]', '[-a]', '[^"\\\\]'];
const postfixes = [
  '*',
  '+',
  '?',
  '{2}',
  '{0,3}',
  '{1,}',
  '{0}',
  '{10000}',
  '{0,10000}',
  '{9,3}',
  '{99999}',
  '{1 , 2}',
  '**',
  '{,4}',
  '+?',
];
const pieces = [
  'root',
  '::=',
  '|',
  '(',
  ')',
  '[',
  ']',
  '"',
  '\\',
  '{',
  '}',
  '*',
  '#',
  '\n',
  '\r',
  '\0',
  '<think>',
  '\ud800',
  '-',
  '^',
  '_',
  '\\u',
];
const depths = [1, 100, 199, 200, 201, 1000, 10_000, 30_000, 100_000];

function expression(next: Choices, depth: number, rules: readonly string[]): string {
  const unit = next.pick<() => string>([
    () => next.pick(literals),
    () => next.pick(classes),
    () => next.pick(rules),
    () => (depth > 0 ? `(${alternatives(next, depth - 1, rules)})` : next.pick(literals)),
  ])();
  return next.percent(25) ? unit + next.pick(postfixes.slice(0, next.percent(80) ? 8 : postfixes.length)) : unit;
}

function alternatives(next: Choices, depth: number, rules: readonly string[]): string {
  return next.list(1, 3, () => next.list(1, 3, () => expression(next, depth, rules)).join(' ')).join(' | ');
}

function inOrder(next: Choices): string {
  const rules = ['root', ...next.list(0, 4, (index) => `r-${index}`)];
  const lines = rules.map((rule) => `${rule} ::= ${alternatives(next, 3, rules)}${next.percent(10) ? ' # why' : ''}`);
  return lines.join(next.pick(['\n', '\n\n', '\r\n']));
}

function damaged(next: Choices): string {
  let text = inOrder(next);
  for (let left = next.between(1, 5); left > 0; left--) {
    const at = next.below(text.length + 1);
    const end = at + next.pick([0, 0, 1, 5, 40]);
    text = text.slice(0, at) + next.pick([next.pick(pieces), next.pick(postfixes), '']) + text.slice(end);
  }
  return text;
}

function extreme(next: Choices): string {
  const many = next.pick(depths);
  const small = Math.min(many, 5000);
  const chain = Array.from({ length: small }, (_, index) => `r${index} ::= ${next.pick(['', '"x" | '])}r${index + 1}`);
  return next.pick([
    `root ::= ${'('.repeat(many)}"a"${')'.repeat(many)}`,
    `root ::= ${'('.repeat(many)}`,
    `root ::= ${'("a" | '.repeat(many)}"b"${')'.repeat(many)}`,
    `root ::= "a"${'*'.repeat(many)}`,
    `root ::= ${'"a"{10000} '.repeat(Math.min(many, 60))}`,
    `root ::= ${'('.repeat(20)}"a"${'{0,10000})'.repeat(20)}`,
    `root ::= r0\n${chain.join('\n')}\nr${small} ::= "y"`,
    `root ::= ${'[a-z]'.repeat(many)}`,
    `root ::= "${'é'.repeat(many)}"`,
    `${'\n'.repeat(many)}root ::= "a" b`,
    'root ::= root root root | "a" | ""',
    'root ::= root',
    'root ::= "a" root',
    'root ::= [^\\x00-\\U0010ffff]',
    '#',
    `${'#'.repeat(many)}`,
  ]);
}

export function randomGrammar(next: Choices): string {
  const make = next.pick([inOrder, inOrder, damaged, damaged, extreme]);
  return make(next);
}
