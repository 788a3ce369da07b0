// Addresses of files on a Hugging Face hub: hf:owner/repo/folder/file.gguf, hf:owner/repo@revision/file.gguf
import { ModelSourceError } from './errors.js';

export interface HubSource {
  source: string;
  repo: string;
  revision: string;
  path: string;
}

const prefix = 'hf:';
const maxLength = 500;
export const isHubSource = (source: string): boolean => source.startsWith(prefix);

// Each part becomes a folder or file name of the cache and a part of a URL, so only what means itself in both is let
// through: no escapes, no dots alone, no separators of any system.
const isPlain = (part: string) => /^[\w][\w.+-]*$/.test(part) && !part.includes('..') && !part.endsWith('.');

/** Throws ERR_MODEL_SOURCE for anything that isn't plainly a file of a repository. */
export function parseHubSource(source: string): HubSource {
  const [owner = '', repoAndRevision = '', ...file] = source.slice(prefix.length).split('/');
  const [repo = '', revision = 'main', ...more] = repoAndRevision.split('@');
  const parts = [owner, repo, revision, ...file];
  const isValid = parts.every(isPlain) && more.length === 0 && file.length > 0 && source.length <= maxLength;
  if (isValid && file.at(-1)?.endsWith('.gguf'))
    return { source, repo: `${owner}/${repo}`, revision, path: file.join('/') };
  throw new ModelSourceError(
    'ERR_MODEL_SOURCE',
    `${JSON.stringify(source)} is not the address of a GGUF file: write hf:owner/repo/file.gguf or ` +
      'hf:owner/repo@revision/file.gguf, in letters, digits and . _ + - only.',
    source,
  );
}
