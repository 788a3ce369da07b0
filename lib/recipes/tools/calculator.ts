import type { Tool } from './tool.js';

const longest = 256; // Characters.
const arithmetic = /^[\d\s.+\-*/^%()!eE]+$/;
const significantDigits = 12;

/**
 * Arithmetic by mathjs: + − * / ^ % !, parentheses and decimal numbers, also written × ÷ and 1,000. Anything else, a
 * number alone and what has no finite value give []. `'135+7721'` → `['7856']`.
 */
export const calculator: Tool = async (query) => {
  const expression = toExpression(query);
  if (!isArithmetic(expression)) return [];
  const { evaluate, format } = await import('mathjs/number');
  try {
    const value: unknown = evaluate(expression);
    return Number.isFinite(value) ? [format(value, { precision: significantDigits })] : [];
  } catch {
    return []; // Not well formed.
  }
};

function toExpression(query: string): string {
  return query
    .trim()
    .replace(/\s*=?\s*\??$/, '')
    .replace(/[×·]|(?<=[\d)\s])x(?=[\d(\s])/g, '*')
    .replaceAll('÷', '/')
    .replaceAll('−', '-')
    .replace(/(?<=\d),(?=\d{3}(?!\d))/g, '');
}

// Names are no arithmetic: mathjs knows units, matrices and functions, which a model's query has no business with.
function isArithmetic(expression: string): boolean {
  const isLetterInNumber = !/[eE](?![+-]?\d)|(?<![\d.])[eE]/.test(expression);
  const hasOperation = /\d\s*[+\-*/^%!]|[+\-*/^%]\s*\(/.test(expression);
  return expression.length <= longest && arithmetic.test(expression) && isLetterInNumber && hasOperation;
}
