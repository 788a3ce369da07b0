// Fetches files from a Hugging Face hub: the client says what the file is (size, hash, address), the bytes come by
// ranged requests that go on where an earlier run was cut off, and only a file with the right hash gets its name.
import { mkdir, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import type { PathInfo } from '@huggingface/hub';
import { cacheFolderOf, fileSize, hashFile, isOffline, publish, requireDiskSpace, withLock } from './cache.js';
import { ModelDownloadError, ModelSourceError } from './errors.js';
import type { HubSource } from './hub-source.js';
import type { FetchOptions } from './progress.js';
import { downloadRanges } from './ranged-download.js';

const defaultHub = 'https://huggingface.co';

/** Path of the file in the cache, fetched if it isn't there. A cached file is used as it is, without asking the hub. */
export async function fetchHubFile(source: HubSource, options: FetchOptions): Promise<string> {
  const folder = path.join(cacheFolderOf(options), 'hub', ...source.repo.split('/'), source.revision);
  const file = path.join(folder, ...source.path.split('/'));
  if (await fileSize(file)) return file;
  if (isOffline()) throw offline(source, file);
  await mkdir(path.dirname(file), { recursive: true });
  await requireInside(path.dirname(file), cacheFolderOf(options), source);
  return withLock(file, options, async () => {
    if (!(await fileSize(file))) await fetchInto(file, source, options);
    return file;
  });
}

/** A link in the cache must not lead the download out of it. */
async function requireInside(folder: string, cacheFolder: string, { source }: HubSource): Promise<void> {
  const [inner, outer] = await Promise.all([realpath(folder), realpath(cacheFolder)]);
  if (inner.startsWith(outer + path.sep)) return;
  throw new ModelSourceError('ERR_MODEL_SOURCE', `${folder} leads out of the cache folder ${cacheFolder}.`, source);
}

async function fetchInto(file: string, source: HubSource, options: FetchOptions): Promise<void> {
  const { info, url, headers } = await describe(source, options);
  // The name holds the hash, so that what is left of another version is not continued.
  const partial = `${file}.${(info.lfs?.oid ?? info.oid ?? '').slice(0, 16)}.part`;
  await requireDiskSpace(path.dirname(file), info.size - ((await fileSize(partial)) ?? 0), source.source);
  await downloadRanges({ url, headers, file: partial, bytes: info.size, source: source.source }, options);
  await verify(partial, info, source, options);
  await publish(partial, file);
}

async function describe(source: HubSource, { signal }: FetchOptions) {
  const { pathsInfo, fileDownloadInfo } = await import('@huggingface/hub');
  const accessToken = process.env.HF_TOKEN || undefined;
  const common = {
    repo: { type: 'model', name: source.repo },
    revision: source.revision,
    hubUrl: (process.env.HF_ENDPOINT || defaultHub).replace(/\/+$/, ''),
    accessToken,
    fetch: ((input, init) => fetch(input, { ...init, signal })) as typeof fetch,
  } as const;
  try {
    const [info] = await pathsInfo({ ...common, paths: [source.path] });
    const download = await fileDownloadInfo({ ...common, path: source.path });
    if (info?.type !== 'file' || !info.size || !download) throw notFound(source);
    const headers: Record<string, string> = accessToken ? { Authorization: `Bearer ${accessToken}` } : {};
    return { info, url: download.url, headers };
  } catch (error) {
    signal?.throwIfAborted();
    throw hubError(source, error);
  }
}

async function verify(partial: string, info: PathInfo, source: HubSource, options: FetchOptions): Promise<void> {
  // Small files are kept in git itself: their id is git's, over a header and the content.
  const expected = info.lfs?.oid ?? info.oid ?? '';
  const git = { algorithm: 'sha1', prefix: `blob ${info.size}\0` } as const;
  const actual = await hashFile(partial, { ...options, totalBytes: info.size, ...(info.lfs ? {} : git) });
  if (actual === expected) return;
  await rm(partial, { force: true });
  throw new ModelDownloadError(
    'ERR_MODEL_CHECKSUM',
    `${source.source} arrived damaged: expected the hash ${expected}, got ${actual}. It has been thrown away; try again.`,
    source.source,
  );
}

function offline({ source }: HubSource, file: string): ModelDownloadError {
  const message = `${source} is not in the cache (${file}) and HF_HUB_OFFLINE or WINNOW_OFFLINE forbids the network.`;
  return new ModelDownloadError('ERR_MODEL_OFFLINE', message, source);
}

const notFound = ({ source, repo, path: file, revision }: HubSource, options?: ErrorOptions) =>
  new ModelSourceError('ERR_MODEL_NOT_FOUND', `${repo} has no file ${file} in revision ${revision}.`, source, options);

function hubError(source: HubSource, error: unknown): Error {
  if (error instanceof ModelSourceError) return error;
  const status = (error as { statusCode?: number }).statusCode;
  if (status === 404) return notFound(source, { cause: error });
  const advice =
    status === 401 || status === 403
      ? 'Set HF_TOKEN to a token that may read the repository, or check its name.'
      : 'Check the network and HF_ENDPOINT, then try again.';
  const reason = (error as Error).message;
  const message = `The hub did not describe ${source.source}: ${reason}. ${advice}`;
  return new ModelDownloadError('ERR_MODEL_DOWNLOAD', message, source.source, { cause: error });
}
