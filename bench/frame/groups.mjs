// Rows by case: a scenario at one size.
import { sizeOf } from './rows.mjs';

export const describeSize = (row) =>
  Object.entries(sizeOf(row))
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

export const caseOf = (row) => `${row.scenario}: ${describeSize(row)}`;

/** Key → items, in the order of their first. */
export function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
