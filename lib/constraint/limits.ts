import { ConstraintError } from '../errors.js';

// What is looked at before anything recurs into a schema: its size and its depth.

const maxDepth = 64;
const maxNodes = 2000;
const maxBytes = 256 * 1024;

interface Place {
  value: unknown;
  pointer: string;
  depth: number;
}

/** A part of a pointer (RFC 6901). */
export const step = (key: string | number) => `/${String(key).replace(/~/g, '~0').replace(/\//g, '~1')}`;

/** Without recursion: nesting of any depth is refused by its place, and so is a schema that contains itself. */
export function checkSchemaSize(schema: unknown): void {
  const waiting: Place[] = [{ value: schema, pointer: '#', depth: 0 }];
  let [nodes, bytes] = [0, 0];
  for (let place = waiting.pop(); place; place = waiting.pop()) {
    const { value, pointer, depth } = place;
    if (typeof value === 'string') bytes += Buffer.byteLength(value);
    if (bytes > maxBytes) throw tooLarge(pointer, `its texts have more than ${maxBytes} bytes`);
    if (typeof value !== 'object' || value === null) continue;
    if (depth > maxDepth) throw tooLarge(pointer, `it is nested more than ${maxDepth} deep`);
    if (!Array.isArray(value) && ++nodes > maxNodes) throw tooLarge(pointer, `it has more than ${maxNodes} objects`);
    for (const [key, child] of Object.entries(value)) {
      bytes += Buffer.byteLength(key) + 4;
      waiting.push({ value: child, pointer: pointer + step(key), depth: depth + 1 });
    }
  }
}

function tooLarge(pointer: string, why: string): ConstraintError {
  const short = pointer.length > 200 ? `${pointer.slice(0, 200)}…` : pointer;
  return new ConstraintError('ERR_SCHEMA', `schema${short}: the schema is too large: ${why}`, pointer);
}
