import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { ModelFileError } from '../../lib/models/errors.js';
import { parseGgufHeader, readGgufHeader } from '../../lib/models/gguf.js';
import { GgufError } from '../../lib/models/gguf-reader.js';
import { mutate } from '../support/gguf-mutations.js';
import { tinyGguf, writeGguf, type GgufSpec } from '../support/gguf-writer.js';

const parse = (bytes: Buffer, fileSize = bytes.length) => parseGgufHeader(bytes, fileSize);
const architecture = { type: 'string', value: 'llama' } as const;
const tensor = { name: 'a', shape: [8] };

test('the header of a right file is read: metadata, tensors and where the data begins', (t) => {
  const header = parse(tinyGguf());
  t.is(header?.version, 3);
  t.is(header?.metadata.get('general.architecture'), 'llama');
  t.is(header?.metadata.get('llama.context_length'), 64);
  t.is(header?.metadata.get('tokenizer.ggml.add_bos_token'), true);
  t.false(header?.metadata.has('tokenizer.ggml.tokens'), 'arrays are left out');
  t.deepEqual(header?.tensors, [
    { name: 'token_embd.weight', type: 'F32', shape: [8, 300], offset: 0, bytes: 9600 },
    { name: 'output_norm.weight', type: 'F32', shape: [8], offset: 9600, bytes: 32 },
  ]);
  t.is(header?.dataOffset, tinyGguf().length - 9600 - 32);
});

test('version 2 is read like version 3', (t) => {
  t.is(parse(writeGguf({ version: 2, tensors: [tensor] }))?.version, 2);
});

test('another alignment moves the data', (t) => {
  const metadata = { 'general.alignment': { type: 'uint32', value: 128 } } as const;
  const header = parse(writeGguf({ metadata, tensors: [tensor, { name: 'b', shape: [1] }], alignment: 128 }));
  t.is(header?.alignment, 128);
  t.deepEqual(
    header?.tensors.map(({ offset }) => offset),
    [0, 128],
  );
});

test('a header that goes on behind the given bytes is asked for again', (t) => {
  const bytes = tinyGguf();
  t.is(parse(bytes.subarray(0, 100), bytes.length), undefined);
});

const raw = (id: number, ...bytes: number[]) => ({ type: 'raw', id, bytes: Uint8Array.from(bytes) }) as const;
const uint64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return [...bytes];
};

/** What is wrong → the file, what the error says and the byte it points at. */
const wrongFiles: Record<string, [spec: GgufSpec, reason: RegExp, offset: number]> = {
  'another magic number': [{ magic: 'GGML' }, /not a GGUF file: it begins with "GGML"/, 0],
  'version 1': [{ version: 1 }, /version 1: only 2 and 3/, 4],
  'version 4': [{ version: 4 }, /version 4: only 2 and 3/, 4],
  'a big-endian file': [{ version: 0x03000000 }, /big-endian/, 4],
  'more tensors than there are': [{ tensorCount: 60000 }, /number of tensors is 60000, more than the file can hold/, 8],
  'absurdly many tensors': [{ tensorCount: 1e15 }, /number of tensors is 1000000000000000, more than 65536/, 8],
  'absurdly many keys': [{ keyCount: 2 ** 53 - 1 }, /number of metadata entries/, 16],
  'an empty key': [{ metadata: { '': architecture } }, /metadata key 0 is empty/, 24],
  'a key twice': [
    {
      metadata: [
        ['a', architecture],
        ['a', architecture],
      ],
    },
    /"a" appears twice/,
    50,
  ],
  'an unknown value type': [{ metadata: { a: raw(13, 0, 0, 0, 0) } }, /"a" has the unknown type 13/, 33],
  'a boolean of 2': [{ metadata: { a: { type: 'bool', value: 2 } } }, /must be 0 or 1, is 2/, 37],
  'an array of arrays': [{ metadata: { a: raw(9, 9, 0, 0, 0, ...uint64(1n)) } }, /elements of the unknown type 9/, 37],
  'an array beyond the file': [{ metadata: { a: raw(9, 4, 0, 0, 0, ...uint64(99n)) } }, /beyond the end/, 49],
  'a string of 2^63 bytes': [
    { metadata: { a: raw(8, ...uint64(2n ** 63n)) } },
    /length of "a" is 9223372036854775808/,
    37,
  ],
  'strings beyond the file': [
    { metadata: { a: raw(9, 8, 0, 0, 0, ...uint64(1000n)) } },
    /1000 strings, more than the file can hold/,
    37,
  ],
  'an alignment that is no power of two': [
    { metadata: { 'general.alignment': { type: 'uint32', value: 24 } }, tensors: [tensor] },
    /alignment is 24/,
    49,
  ],
  'an alignment of the wrong type': [
    { metadata: { 'general.alignment': { type: 'uint16', value: 32 } }, tensors: [tensor] },
    /must be a 32-bit unsigned number/,
    49,
  ],
  'a tensor name of 64 bytes': [
    { tensors: [{ name: 'x'.repeat(64), shape: [8] }] },
    /name of tensor 0 is 64, more than 63/,
    24,
  ],
  'a tensor twice': [{ tensors: [tensor, tensor] }, /tensor "a" appears twice/, 57],
  'five dimensions': [{ tensors: [{ name: 'a', shape: [1, 1, 1, 1, 1] }] }, /5 dimensions, more than 4/, 33],
  'a dimension of 0': [{ tensors: [{ name: 'a', shape: [8, 0] }] }, /is empty/, 33],
  'dimensions that overflow': [
    { tensors: [{ name: 'a', shape: [2 ** 40, 2 ** 40, 2 ** 40], bytes: 32 }] },
    /larger than the file/,
    33,
  ],
  'an unknown tensor type': [{ tensors: [{ ...tensor, type: 4 }] }, /unknown type 4/, 45],
  'rows that are no whole blocks': [{ tensors: [{ ...tensor, type: 2 }] }, /rows of 8, not a multiple of 32/, 24],
  'a gap before a tensor': [{ tensors: [{ ...tensor, offset: 32 }] }, /offset 32, expected 0/, 24],
  'a tensor that overlaps': [{ tensors: [tensor, { name: 'b', shape: [8], offset: 0 }] }, /offset 0, expected 32/, 57],
  'data that is cut short': [
    { tensors: [{ name: 'a', shape: [64], bytes: 32 }] },
    /cut short: tensor "a" ends at byte 320/,
    24,
  ],
};

for (const [what, [spec, reason, offset]] of Object.entries(wrongFiles)) {
  test(`${what}: refused with the reason and the place`, (t) => {
    const error = t.throws(() => parse(writeGguf(spec)), { instanceOf: GgufError });
    t.regex(error?.reason ?? '', reason);
    t.is(error?.offset, offset);
  });
}

test('every truncation of a file is refused', (t) => {
  const bytes = tinyGguf();
  for (let length = 0; length < bytes.length; length += length < 2000 ? 1 : 97) {
    t.throws(() => parse(bytes.subarray(0, length)), { instanceOf: GgufError }, `cut at ${length}`);
  }
});

test('2,000 damaged files are read or refused, never anything else', (t) => {
  const original = tinyGguf();
  const headerBytes = parse(original)?.dataOffset ?? 0;
  let refused = 0;
  for (let seed = 0; seed < 2000; seed++) {
    try {
      t.truthy(parse(mutate(original, headerBytes, seed)));
    } catch (error) {
      if (!(error instanceof GgufError)) throw new Error(`seed ${seed}`, { cause: error });
      refused++;
    }
  }
  t.true(refused > 500, `only ${refused} were refused`);
});

test('a header larger than the first read is read in full', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'winnow-gguf-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'large.gguf');
  const tokens = Array.from({ length: 100_000 }, (_, index) => `${'t'.repeat(90)}${index}`);
  const metadata = { tokens: { type: 'strings', value: tokens }, last: { type: 'uint32', value: 7 } } as const;
  await writeFile(file, writeGguf({ metadata }));
  const header = await readGgufHeader(file);
  t.is(header.metadata.get('last'), 7);
});

test('a wrong file is named in the error, with code, reason and offset', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'winnow-gguf-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'wrong.gguf');
  await writeFile(file, 'GGUFnot really');
  const error = await t.throwsAsync(() => readGgufHeader(file), { instanceOf: ModelFileError, code: 'ERR_MODEL_FILE' });
  t.is(error?.path, file);
  t.is(error?.offset, 4);
  t.true(error?.message.includes(file));
});
