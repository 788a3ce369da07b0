// One file over HTTP, in ranges: what is on the disk already is not asked for again.
import { open, truncate, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileSize } from './cache.js';
import { ModelDownloadError } from './errors.js';
import type { FetchOptions } from './progress.js';

export interface RangedDownload {
  url: string;
  headers: Record<string, string>;
  file: string;
  /** Size of the whole file. */
  bytes: number;
  /** Named in errors. */
  source: string;
}

const maxCuts = 5; // In a row without a byte in between.
const firstPauseMs = 500; // Doubles from cut to cut.

export async function downloadRanges(download: RangedDownload, options: FetchOptions): Promise<void> {
  let cuts = 0;
  for (;;) {
    const start = await resumePoint(download);
    if (start === download.bytes) return;
    try {
      await receiveFrom(start, download, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof ModelDownloadError) throw error;
      const progressed = ((await fileSize(download.file)) ?? 0) > start;
      cuts = progressed ? 0 : cuts + 1;
      if (cuts >= maxCuts) throw cutOff(download, error);
      if (!progressed) await pause(cuts, options);
    }
  }
}

/** Bytes that are there. More than the whole means that they are something else. */
async function resumePoint({ file, bytes }: RangedDownload): Promise<number> {
  const there = (await fileSize(file)) ?? 0;
  if (there <= bytes) return there;
  await truncate(file, 0);
  return 0;
}

async function receiveFrom(start: number, download: RangedDownload, options: FetchOptions): Promise<void> {
  // A compressed answer could not be counted, nor continued.
  const headers = {
    ...download.headers,
    'Accept-Encoding': 'identity',
    ...(start ? { Range: `bytes=${start}-` } : {}),
  };
  const response = await fetch(download.url, { headers, signal: options.signal });
  const offset = acceptedOffset(response, start, download);
  const file = await open(download.file, offset ? 'a' : 'w');
  try {
    await writeAll(response.body ?? [], file, offset, download, options);
  } finally {
    await file.close();
  }
}

/** Where the bytes of the answer belong. A server that ignores ranges sends everything from the start. */
function acceptedOffset(response: Response, start: number, { source }: RangedDownload): number {
  if (response.status === 200) return 0;
  if (response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${start}-`)) return start;
  const message = `The server answered ${response.status} ${response.statusText} when asked for ${source} from byte ${start}.`;
  if (response.status >= 500 || response.status === 429) throw new Error(message);
  throw new ModelDownloadError('ERR_MODEL_DOWNLOAD', message, source);
}

/** Each piece is on its way to the disk before the next is read: what is reported as done is kept when the line breaks. */
async function writeAll(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  handle: FileHandle,
  offset: number,
  { bytes, file, source }: RangedDownload,
  { onProgress }: FetchOptions,
): Promise<void> {
  let received = offset;
  for await (const chunk of body) {
    if (received + chunk.length > bytes) {
      const message = `The server sent more than the ${bytes} bytes of ${source}.`;
      throw new ModelDownloadError('ERR_MODEL_DOWNLOAD', message, source);
    }
    await handle.appendFile(chunk); // All of it, unlike write().
    received += chunk.length;
    onProgress?.({ phase: 'download', name: path.basename(file), bytes: received, totalBytes: bytes });
  }
  if (received < bytes) throw new Error('the connection was closed early');
}

async function pause(cuts: number, { signal }: FetchOptions): Promise<void> {
  await delay(firstPauseMs * 2 ** (cuts - 1), undefined, { signal }).catch(() => signal?.throwIfAborted());
}

function cutOff({ source, file }: RangedDownload, cause: unknown): ModelDownloadError {
  return new ModelDownloadError(
    'ERR_MODEL_DOWNLOAD',
    `The download of ${source} was cut off ${maxCuts} times: ${(cause as Error).message}. ` +
      `What has arrived is kept in ${file}; loading the model again goes on from there.`,
    source,
    { cause },
  );
}
