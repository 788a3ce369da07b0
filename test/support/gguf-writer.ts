// Makes small GGUF files for tests, right or wrong ones: every count, type and offset can be overridden.

export type MetadataValue =
  | { type: 'uint16' | 'uint32' | 'float32'; value: number }
  | { type: 'bool'; value: number } // 0 and 1, or what no boolean may be
  | { type: 'string'; value: string }
  | { type: 'strings'; value: string[] }
  | { type: 'int32s' | 'float32s'; value: number[] }
  | { type: 'raw'; id: number; bytes: Uint8Array };

export interface TensorSpec {
  name: string;
  shape: number[];
  type?: number; // ggml type id; 0 = F32
  offset?: number; // default: behind the tensor before it
  bytes?: number; // of data; default: what an F32 tensor takes
}

export interface GgufSpec {
  magic?: string;
  version?: number;
  metadata?: Record<string, MetadataValue> | [string, MetadataValue][];
  tensors?: TensorSpec[];
  tensorCount?: number;
  keyCount?: number;
  alignment?: number;
}

class Writer {
  readonly #parts: Buffer[] = [];
  length = 0;

  bytes(data: Uint8Array): this {
    this.#parts.push(Buffer.from(data));
    this.length += data.length;
    return this;
  }
  #number(size: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.alloc(size);
    write(buffer);
    return this.bytes(buffer);
  }
  uint16 = (value: number) => this.#number(2, (buffer) => buffer.writeUInt16LE(value));
  uint32 = (value: number) => this.#number(4, (buffer) => buffer.writeUInt32LE(value));
  float32 = (value: number) => this.#number(4, (buffer) => buffer.writeFloatLE(value));
  int32 = (value: number) => this.#number(4, (buffer) => buffer.writeInt32LE(value));
  uint64 = (value: number) => this.#number(8, (buffer) => buffer.writeBigUInt64LE(BigInt(value)));
  string = (value: string) => this.uint64(Buffer.byteLength(value)).bytes(Buffer.from(value));
  pad = (alignment: number) => this.bytes(Buffer.alloc((alignment - (this.length % alignment)) % alignment));
  result = () => Buffer.concat(this.#parts);
}

const typeIds = { uint16: 2, uint32: 4, float32: 6, bool: 7, string: 8, strings: 8, int32s: 5, float32s: 6 };

function writeValue(writer: Writer, entry: MetadataValue): void {
  if (entry.type === 'raw') return void writer.uint32(entry.id).bytes(entry.bytes);
  const isArray = entry.type === 'strings' || entry.type === 'int32s' || entry.type === 'float32s';
  if (isArray) writer.uint32(9);
  writer.uint32(typeIds[entry.type]);
  if (isArray) writer.uint64(entry.value.length);
  switch (entry.type) {
    case 'bool':
      return void writer.bytes(Uint8Array.of(entry.value));
    case 'string':
      return void writer.string(entry.value);
    case 'strings':
      return entry.value.forEach((value) => writer.string(value));
    case 'int32s':
      return entry.value.forEach((value) => writer.int32(value));
    case 'float32s':
      return entry.value.forEach((value) => writer.float32(value));
    default:
      writer[entry.type](entry.value);
  }
}

const entriesOf = (metadata: GgufSpec['metadata'] = {}) =>
  Array.isArray(metadata) ? metadata : Object.entries(metadata);

export function writeGguf(spec: GgufSpec): Buffer {
  const { magic = 'GGUF', version = 3, tensors = [], alignment = 32 } = spec;
  const entries = entriesOf(spec.metadata);
  const writer = new Writer().bytes(Buffer.from(magic)).uint32(version);
  writer.uint64(spec.tensorCount ?? tensors.length).uint64(spec.keyCount ?? entries.length);
  for (const [key, value] of entries) writeValue(writer.string(key), value);
  let offset = 0;
  const data = new Writer();
  for (const tensor of tensors) {
    const bytes = tensor.bytes ?? 4 * tensor.shape.reduce((product, size) => product * size, 1);
    writer.string(tensor.name).uint32(tensor.shape.length);
    tensor.shape.forEach((size) => writer.uint64(size));
    writer.uint32(tensor.type ?? 0).uint64(tensor.offset ?? offset);
    data.bytes(Buffer.alloc(bytes)).pad(alignment);
    offset = data.length;
  }
  if (tensors.length) writer.pad(alignment).bytes(data.result());
  return writer.result();
}

/** A file with everything the format knows, a vocabulary of 300 tokens and two tensors: what fuzzers start from. */
export function tinyGguf(): Buffer {
  const words = Array.from({ length: 44 }, (_, index) => `word${index}`);
  const bytes = Array.from({ length: 256 }, (_, index) => `<0x${index.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...words.slice(3)];
  const metadata: Record<string, MetadataValue> = {
    'general.architecture': { type: 'string', value: 'llama' },
    'general.name': { type: 'string', value: 'tiny' },
    'general.alignment': { type: 'uint32', value: 32 },
    'llama.context_length': { type: 'uint32', value: 64 },
    'llama.embedding_length': { type: 'uint32', value: 8 },
    'llama.block_count': { type: 'uint32', value: 1 },
    'llama.feed_forward_length': { type: 'uint32', value: 8 },
    'llama.attention.head_count': { type: 'uint32', value: 2 },
    'llama.attention.layer_norm_rms_epsilon': { type: 'float32', value: 1e-5 },
    'tokenizer.ggml.model': { type: 'string', value: 'llama' },
    'tokenizer.ggml.tokens': { type: 'strings', value: tokens },
    'tokenizer.ggml.scores': { type: 'float32s', value: tokens.map((_, index) => -index) },
    'tokenizer.ggml.token_type': {
      type: 'int32s',
      value: tokens.map((_, index) => (index < 3 ? 3 : index < 259 ? 6 : 1)),
    },
    'tokenizer.ggml.bos_token_id': { type: 'uint32', value: 1 },
    'tokenizer.ggml.eos_token_id': { type: 'uint32', value: 2 },
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: 1 },
    'tokenizer.chat_template': { type: 'string', value: '{{ messages[0].content }}' },
  };
  const tensors = [
    { name: 'token_embd.weight', shape: [8, tokens.length] },
    { name: 'output_norm.weight', shape: [8] },
  ];
  return writeGguf({ metadata, tensors });
}
