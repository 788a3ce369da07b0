// A prefix as a file: a head in JSON, the tokens, the last row of logits, keys and values, and a checksum over all of it.
//
//   magic (16 bytes) · length of the head (uint32) · head · int32[tokens] · float32[vocabulary] · bytes of the state · SHA-256
//
// All little-endian. Nothing behind the magic is looked at before length and checksum are right.
import { createHash, randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import type { Context } from '../context.js';
import { PrefixFileError } from '../errors.js';
import type { NativeSavedPrefix } from '../native.js';
import type { Fingerprint } from './fingerprint.js';

const magic = Buffer.from('winnow prefix 1\n', 'latin1');
const hashBytes = 32;

export interface PrefixFile {
  fingerprint: Fingerprint;
  context: Context;
  saved: NativeSavedPrefix;
}

interface Head {
  fingerprint: Fingerprint;
  tokens: number;
  row: number;
  state: number;
  text?: string;
  messages?: Context['messages'];
  isAnswering: boolean;
}

/** Whole or not at all. Rejects with the file system's error. */
export async function writePrefixFile(path: string, file: PrefixFile): Promise<void> {
  const parts = encode(file);
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const unfinished = `${path}.${randomUUID()}.part`;
  try {
    await writeParts(unfinished, [...parts, hash.digest()]);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function writeParts(path: string, parts: Uint8Array[]): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    for (const part of parts) await handle.writeFile(part);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Rejects with the file system's error, and with PrefixFileError for what is no whole prefix. */
export async function readPrefixFile(path: string): Promise<PrefixFile> {
  const bytes = await readFile(path);
  const damaged = (reason: string) => new PrefixFileError('ERR_PREFIX_FILE', path, reason);
  if (!bytes.subarray(0, magic.length).equals(magic)) throw damaged('it is not a prefix that this version has saved');
  const content = bytes.subarray(0, -hashBytes);
  const hash = createHash('sha256').update(content).digest();
  if (bytes.length < magic.length + 4 + hashBytes || !hash.equals(bytes.subarray(-hashBytes)))
    throw damaged('it is damaged: its checksum is wrong');
  const file = decodeOrNothing(content);
  if (!file) throw damaged('it is damaged: its parts do not add up');
  return file;
}

function encode({ fingerprint, context, saved }: PrefixFile): Buffer[] {
  const { tokens, text, messages, isAnswering } = context;
  const head: Head = {
    fingerprint,
    tokens: tokens.length,
    row: saved.row.length,
    state: saved.state.length,
    text,
    messages,
    isAnswering,
  };
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return [magic, length, json, bytesOf(tokens), bytesOf(saved.row), bytesOf(saved.state)];
}

// The checksum is right: only a file that somebody made up comes here and is none.
function decodeOrNothing(content: Buffer): PrefixFile | undefined {
  try {
    return decode(content);
  } catch {
    return undefined;
  }
}

function decode(content: Buffer): PrefixFile | undefined {
  const headBegin = magic.length + 4;
  const headEnd = headBegin + content.readUInt32LE(magic.length);
  if (headEnd > content.length) return undefined;
  const head = JSON.parse(content.toString('utf8', headBegin, headEnd)) as Head;
  const { fingerprint, text, messages, isAnswering } = head;
  const rowBegin = headEnd + 4 * head.tokens;
  const stateBegin = rowBegin + 4 * head.row;
  if (stateBegin + head.state !== content.length) return undefined;
  const tokens = new Int32Array(copyOf(content, headEnd, rowBegin));
  const row = new Float32Array(copyOf(content, rowBegin, stateBegin));
  return {
    fingerprint,
    context: { tokens, text, messages, isAnswering },
    saved: { row, state: content.subarray(stateBegin) },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array | Float32Array | Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength);

// Numbers of four bytes must begin at a multiple of four.
const copyOf = (bytes: Buffer, begin: number, end: number): ArrayBuffer =>
  Uint8Array.from(bytes.subarray(begin, end)).buffer;
