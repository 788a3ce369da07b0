// Reads and checks the header of a GGUF file before llama.cpp sees it: every count, length, type and offset must be
// plausible and within the file. What is allocated is bounded by the bytes that are really there.
import { open, type FileHandle } from 'node:fs/promises';
import { ModelFileError } from './errors.js';
import { GgufError, GgufReader, maxHeaderBytes, NeedMoreBytes } from './gguf-reader.js';
import { tensorTypes, valueSizes, valueType } from './gguf-types.js';

export interface GgufTensor {
  name: string;
  type: string;
  /** Elements per dimension, the fastest first. */
  shape: number[];
  /** Bytes from the start of the data section. */
  offset: number;
  bytes: number;
}

export interface GgufHeader {
  version: number;
  /** Numbers, booleans and short strings of the metadata; arrays are left out. */
  metadata: Map<string, string | number | boolean>;
  tensors: GgufTensor[];
  alignment: number;
  /** Bytes from the start of the file. */
  dataOffset: number;
}

const firstReadBytes = 8 << 20; // Holds the header of most models.
const maxEntries = 65_536; // Metadata keys, and tensors. llama.cpp compares each with all before it.
const maxKeyBytes = 65_535;
const maxNameBytes = 63;
const maxDimensions = 4;
const keptStringBytes = 1024;
const maxAlignment = 1 << 20;
const minKeyValueBytes = 8 + 1 + 4 + 1;
const minTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

/**
 * Parses the header at the start of `bytes`; the file has `fileSize` bytes in all. Returns undefined where the header
 * goes on behind `bytes`; throws GgufError at the first thing that can't be right.
 */
export function parseGgufHeader(bytes: Uint8Array, fileSize: number): GgufHeader | undefined {
  const reader = new GgufReader(bytes, fileSize);
  try {
    return readHeader(reader);
  } catch (error) {
    if (error instanceof NeedMoreBytes) return undefined;
    throw error;
  }
}

function readHeader(reader: GgufReader): GgufHeader {
  const version = readVersion(reader);
  const tensorCount = readCount(reader, 'the number of tensors', minTensorBytes);
  const keyCount = readCount(reader, 'the number of metadata entries', minKeyValueBytes);
  const metadata = readMetadata(reader, keyCount);
  const alignment = readAlignment(reader, metadata);
  const infos = readTensorInfos(reader, tensorCount);
  const dataOffset = Math.ceil(reader.position / alignment) * alignment;
  const tensors = placeTensors(reader, infos, alignment, dataOffset);
  return { version, metadata: new Map(plainValues(metadata)), tensors, alignment, dataOffset };
}

function readVersion(reader: GgufReader): number {
  const magic = reader.text({ start: reader.take(4, 'the magic number'), length: 4 });
  if (magic !== 'GGUF') reader.fail(`not a GGUF file: it begins with ${JSON.stringify(magic)}`, 0);
  const version = reader.uint32('the version');
  if (version === 2 || version === 3) return version;
  if (version !== 0 && (version & 0xffff) === 0) reader.fail('a big-endian GGUF file', 4);
  return reader.fail(`GGUF version ${version}: only 2 and 3 can be read`, 4);
}

function readCount(reader: GgufReader, what: string, minBytes: number): number {
  const start = reader.position;
  const count = reader.uint64(what);
  if (count > maxEntries) reader.fail(`${what} is ${count}, more than ${maxEntries}`, start);
  if (count * minBytes > reader.fileSize) reader.fail(`${what} is ${count}, more than the file can hold`, start);
  return count;
}

interface Value {
  type: number;
  start: number;
  value: string | number | boolean | undefined; // undefined = an array or a long string
}

function readMetadata(reader: GgufReader, count: number): Map<string, Value> {
  const metadata = new Map<string, Value>();
  for (let index = 0; index < count; index++) {
    const start = reader.position;
    const key = reader.text(reader.span(`metadata key ${index}`, maxKeyBytes));
    if (key === '') reader.fail(`metadata key ${index} is empty`, start);
    if (metadata.has(key)) reader.fail(`metadata key ${JSON.stringify(key)} appears twice`, start);
    metadata.set(key, readValue(reader, JSON.stringify(key)));
  }
  return metadata;
}

function readValue(reader: GgufReader, what: string): Value {
  const start = reader.position;
  const type = reader.uint32(`the type of ${what}`);
  if (type === valueType.array) {
    skipArray(reader, what);
    return { type, start, value: undefined };
  }
  if (type === valueType.string) {
    const span = reader.span(what);
    return { type, start, value: span.length <= keptStringBytes ? reader.text(span) : undefined };
  }
  if (!valueSizes.has(type)) reader.fail(`${what} has the unknown type ${type}`, start);
  return { type, start, value: reader.number(type, what) };
}

function skipArray(reader: GgufReader, what: string): void {
  const start = reader.position;
  const type = reader.uint32(`the element type of ${what}`);
  const count = reader.uint64(`the length of ${what}`, maxHeaderBytes);
  if (type === valueType.string) {
    if (count * 8 > reader.fileSize) reader.fail(`${what} has ${count} strings, more than the file can hold`, start);
    for (let index = 0; index < count; index++) reader.span(`a string of ${what}`);
    return;
  }
  const size = valueSizes.get(type);
  if (!size) return reader.fail(`${what} has elements of the unknown type ${type}`, start);
  const first = reader.take(count * size, what);
  if (type !== valueType.bool) return;
  const wrong = reader.bytes.subarray(first, first + count).findIndex((value) => value > 1);
  if (wrong !== -1) reader.fail(`${what} holds a boolean that is neither 0 nor 1`, first + wrong);
}

function readAlignment(reader: GgufReader, metadata: Map<string, Value>): number {
  const entry = metadata.get('general.alignment');
  if (!entry) return 32;
  const { type, value, start } = entry;
  if (type !== valueType.uint32) return reader.fail('general.alignment must be a 32-bit unsigned number', start);
  const alignment = value as number;
  const isPowerOfTwo = alignment > 0 && Number.isInteger(Math.log2(alignment));
  if (isPowerOfTwo && alignment <= maxAlignment) return alignment;
  return reader.fail(`general.alignment is ${alignment}, not a power of two up to ${maxAlignment}`, start);
}

interface TensorInfo extends GgufTensor {
  start: number;
}

function readTensorInfos(reader: GgufReader, count: number): TensorInfo[] {
  const names = new Set<string>();
  return Array.from({ length: count }, (_, index) => {
    const info = readTensorInfo(reader, index);
    if (names.has(info.name)) reader.fail(`tensor ${JSON.stringify(info.name)} appears twice`, info.start);
    names.add(info.name);
    return info;
  });
}

function readTensorInfo(reader: GgufReader, index: number): TensorInfo {
  const start = reader.position;
  const name = reader.text(reader.span(`the name of tensor ${index}`, maxNameBytes));
  const what = `tensor ${JSON.stringify(name)}`;
  const shape = readShape(reader, what);
  const typeStart = reader.position;
  const id = reader.uint32(`the type of ${what}`);
  const type = tensorTypes.get(id);
  if (!type) return reader.fail(`${what} has the unknown type ${id}`, typeStart);
  const [typeName, blockElements, blockBytes] = type;
  const row = shape[0] ?? 1;
  if (row % blockElements) reader.fail(`${what} has rows of ${row}, not a multiple of ${blockElements}`, start);
  const elements = shape.reduce((product, size) => product * size, 1);
  const bytes = (elements / blockElements) * blockBytes;
  const offset = reader.uint64(`the offset of ${what}`);
  return { name, type: typeName, shape, offset, bytes, start };
}

/** The product of the dimensions stays below the file's size in quarter bytes, so it is an exact number. */
function readShape(reader: GgufReader, what: string): number[] {
  const start = reader.position;
  const dimensions = reader.uint32(`the number of dimensions of ${what}`);
  if (dimensions > maxDimensions)
    reader.fail(`${what} has ${dimensions} dimensions, more than ${maxDimensions}`, start);
  let elements = 1;
  return Array.from({ length: dimensions }, () => {
    const size = reader.uint64(`a dimension of ${what}`);
    if (size === 0) reader.fail(`${what} is empty`, start);
    elements *= size;
    // No type stores more than eight elements in a byte.
    if (elements > 8 * reader.fileSize) reader.fail(`${what} is larger than the file`, start);
    return size;
  });
}

function placeTensors(reader: GgufReader, infos: TensorInfo[], alignment: number, dataOffset: number): GgufTensor[] {
  let expected = 0;
  return infos.map(({ start, ...tensor }) => {
    const what = `tensor ${JSON.stringify(tensor.name)}`;
    if (tensor.offset !== expected) reader.fail(`${what} has the offset ${tensor.offset}, expected ${expected}`, start);
    const end = dataOffset + tensor.offset + tensor.bytes;
    if (end > reader.fileSize) {
      reader.fail(`the file is cut short: ${what} ends at byte ${end}, the file at ${reader.fileSize}`, start);
    }
    expected += Math.ceil(tensor.bytes / alignment) * alignment;
    return tensor;
  });
}

function* plainValues(metadata: Map<string, Value>): Generator<[string, string | number | boolean]> {
  for (const [key, { value }] of metadata) if (value !== undefined) yield [key, value];
}

/** Reads and checks the header of a file. Throws ModelFileError. */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  const file = await open(path);
  try {
    return await readFrom(file);
  } catch (error) {
    if (error instanceof GgufError) throw new ModelFileError(path, error.reason, error.offset);
    throw error;
  } finally {
    await file.close();
  }
}

async function readFrom(file: FileHandle): Promise<GgufHeader> {
  const { size } = await file.stat();
  for (let length = Math.min(size, firstReadBytes); ; length = Math.min(size, 2 * length)) {
    const bytes = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(bytes, 0, length, 0);
    const header = parseGgufHeader(bytes.subarray(0, bytesRead), size);
    if (header) return header;
    if (bytesRead < length) throw new GgufError('the file changes while it is read', bytesRead);
    if (length >= maxHeaderBytes) throw new GgufError(`the header is larger than ${maxHeaderBytes} bytes`, length);
  }
}
