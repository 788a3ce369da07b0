// gzip is Node's own; Zstandard is since 22.15, before it comes from libraries.
import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import type { Format } from './format.js';

type Chunks = AsyncIterable<Uint8Array>;
type ZstdOfNode = { createZstdCompress?: () => Transform; createZstdDecompress?: () => Transform };

export async function* decompress(source: Chunks, compression: Format['compression']): AsyncGenerator<Buffer, void> {
  if (compression === 'none') return yield* through(source);
  if (compression === 'gzip') return yield* pipe(source, zlib.createGunzip());
  const { createZstdDecompress } = zlib as ZstdOfNode;
  if (createZstdDecompress) return yield* pipe(source, createZstdDecompress());
  yield* decompressZstd(source);
}

export async function* compress(source: Chunks, compression: Format['compression']): AsyncGenerator<Buffer, void> {
  if (compression === 'none') return yield* through(source);
  if (compression === 'gzip') return yield* pipe(source, zlib.createGzip());
  const { createZstdCompress } = zlib as ZstdOfNode;
  if (createZstdCompress) return yield* pipe(source, createZstdCompress());
  yield* compressZstd(source);
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

async function* through(source: Chunks): AsyncGenerator<Buffer, void> {
  for await (const chunk of source) yield asBuffer(chunk);
}

async function* pipe(source: Chunks, transform: Transform): AsyncGenerator<Buffer, void> {
  const { Readable, pipeline } = await import('node:stream');
  pipeline(Readable.from(source), transform, () => {}); // An error of either comes out of the transform below.
  for await (const chunk of transform) yield chunk as Buffer;
}

async function* decompressZstd(source: Chunks): AsyncGenerator<Buffer, void> {
  const { Decompress } = await import('fzstd');
  let ready: Uint8Array[] = [];
  const stream = new Decompress((chunk) => ready.push(chunk));
  const take = () => {
    const chunks = ready.map(asBuffer);
    ready = [];
    return chunks;
  };
  for await (const chunk of source) {
    stream.push(chunk);
    yield* take();
  }
  stream.push(new Uint8Array(0), true);
  yield* take();
}

async function* compressZstd(source: Chunks): AsyncGenerator<Buffer, void> {
  const { Zstd } = await import('@hpcc-js/wasm-zstd');
  const zstd = await Zstd.load();
  zstd.reset();
  for await (const chunk of source) yield asBuffer(zstd.compressChunk(chunk).slice());
  yield asBuffer(zstd.compressEnd().slice());
}
