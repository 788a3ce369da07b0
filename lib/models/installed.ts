// What the cache folder holds.
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolderOf } from './cache.js';
import { ModelSourceError } from './errors.js';
import { isHubSource, parseHubSource } from './hub-source.js';
import { knownModels } from './known.js';
import type { FetchOptions } from './progress.js';
import { partNames } from './split.js';

export interface InstalledModel {
  /** As `loadModel()` takes it. */
  source: string;
  file: string;
  bytes: number;
}

/** Models in the cache, known ones first. */
export async function listModels(options: FetchOptions = {}): Promise<InstalledModel[]> {
  const folder = cacheFolderOf(options);
  const known = Object.values(knownModels).map(({ name, file }) =>
    found(name, path.join(folder, 'models', name, file)),
  );
  const hub = (await filesBelow(path.join(folder, 'hub'))).map((file) =>
    found(hubSourceOf(path.join(folder, 'hub'), file), file),
  );
  const models = await Promise.all([...known, ...hub]);
  return models.filter((model) => model !== undefined);
}

async function found(source: string, file: string): Promise<InstalledModel | undefined> {
  const facts = await stat(file).catch(() => undefined);
  return facts?.isFile() ? { source, file, bytes: facts.size } : undefined;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.gguf'))
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .sort();
}

function hubSourceOf(hub: string, file: string): string {
  const [owner, repo, revision, ...rest] = path.relative(hub, file).split(path.sep);
  const at = revision === 'main' ? '' : `@${revision}`;
  return `hf:${owner}/${repo}${at}/${rest.join('/')}`;
}

/** Removes a model from the cache; returns what was freed. A file that is given by its path is not ours to remove. */
export async function removeModel(source: string, options: FetchOptions = {}): Promise<InstalledModel[]> {
  const wanted = new Set(isHubSource(source) ? hubParts(source) : [source]);
  const models = (await listModels(options)).filter((model) => wanted.has(model.source));
  if (models.length === 0) throw notInstalled(source);
  for (const { file } of models) await removeFile(file, cacheFolderOf(options));
  return models;
}

function hubParts(source: string): string[] {
  const { path: file } = parseHubSource(source);
  const folder = source.slice(0, source.length - path.posix.basename(file).length);
  return partNames(path.posix.basename(file)).map((name) => folder + name);
}

function notInstalled(source: string): ModelSourceError {
  const message = `${source} is not in the cache: winnow list says what is. Files outside of it are removed by hand.`;
  return new ModelSourceError('ERR_MODEL_NOT_FOUND', message, source);
}

/** The folders that it leaves empty go with it. */
async function removeFile(file: string, cacheFolder: string): Promise<void> {
  await rm(file);
  for (let folder = path.dirname(file); folder !== cacheFolder; folder = path.dirname(folder)) {
    const isEmpty = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (!isEmpty) return;
  }
}
