import { ConstraintError } from '../errors.js';
import { describe } from '../options/checks.js';

// What is looked at before anything recurs into a schema: its size, its depth, and that it is JSON.

const maxDepth = 64;
const maxNodes = 2000;
const maxBytes = 256 * 1024;
const bytesPerEntry = 4; // At least, of an array or an object.

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
    if (typeof value !== 'object' || value === null) {
      checkPlain(value, pointer);
      continue;
    }
    checkContainer(value, pointer);
    if (depth > maxDepth) throw tooLarge(pointer, `it is nested more than ${maxDepth} deep`);
    if (!Array.isArray(value) && ++nodes > maxNodes) throw tooLarge(pointer, `it has more than ${maxNodes} objects`);
    for (const [key, child] of Object.entries(value)) {
      bytes += Buffer.byteLength(key) + bytesPerEntry;
      waiting.push({ value: child, pointer: pointer + step(key), depth: depth + 1 });
    }
  }
}

/** Undefined is as if the key weren't there. */
function checkPlain(value: unknown, pointer: string): void {
  if (['string', 'boolean', 'undefined'].includes(typeof value) || value === null || Number.isFinite(value)) return;
  throw refuse(pointer, `${describe(value)} is no JSON`);
}

// A long array is refused before its entries are listed.
function checkContainer(value: object, pointer: string): void {
  const size = Array.isArray(value) ? value.length : Object.keys(value).length;
  if (size * bytesPerEntry > maxBytes) throw tooLarge(pointer, `it has ${size} entries`);
  if (Array.isArray(value)) return;
  if (Object.prototype.toString.call(value) !== '[object Object]' || 'toJSON' in value)
    throw refuse(pointer, 'it is no plain object');
}

/** ERR_SCHEMA by its place. */
export function refuse(pointer: string, why: string): ConstraintError {
  return new ConstraintError('ERR_SCHEMA', `${placeOf(pointer)}: ${why}`, pointer);
}

const longestShown = 200; // Characters of a pointer in a message.

/** Of a part of a schema, or of an option: how messages name it. */
export function placeOf(pointer: string): string {
  const short = pointer.length > longestShown ? `${pointer.slice(0, longestShown)}…` : pointer;
  return pointer.startsWith('#') ? `schema${short}` : short;
}

function tooLarge(pointer: string, why: string): ConstraintError {
  return refuse(pointer, `the schema is too large: ${why}`);
}
