import { WinnowError } from '../errors.js';

/** Code `ERR_MODEL_FILE`: the file is not a GGUF that can be loaded. */
export class ModelFileError extends WinnowError {
  override name = 'ModelFileError';
  readonly path: string;
  /** What is wrong, without the path. */
  readonly reason: string;
  /** Where in the file, in bytes from its start; undefined where no single place is to blame. */
  readonly offset: number | undefined;

  constructor(path: string, reason: string, offset?: number) {
    const place = offset === undefined ? '' : ` (at byte ${offset})`;
    super('ERR_MODEL_FILE', `${path} can't be loaded: ${reason}${place}. Get the file again or choose another model.`);
    this.path = path;
    this.reason = reason;
    this.offset = offset;
  }
}

/** Codes: `ERR_MODEL_NOT_FOUND` (no such file, name or repository), `ERR_MODEL_SOURCE` (not a name, path or address). */
export class ModelSourceError extends WinnowError {
  override name = 'ModelSourceError';
  readonly source: string;

  constructor(
    code: 'ERR_MODEL_NOT_FOUND' | 'ERR_MODEL_SOURCE',
    message: string,
    source: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.source = source;
  }
}

/**
 * The model could not be fetched. Codes: `ERR_MODEL_DOWNLOAD` (network, disk, tools), `ERR_MODEL_CHECKSUM` (what came is
 * not what was expected; it has been thrown away), `ERR_MODEL_OFFLINE` (not in the cache, and the network is not allowed).
 */
export class ModelDownloadError extends WinnowError {
  override name = 'ModelDownloadError';
  readonly source: string;

  constructor(
    code: 'ERR_MODEL_DOWNLOAD' | 'ERR_MODEL_CHECKSUM' | 'ERR_MODEL_OFFLINE',
    message: string,
    source: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.source = source;
  }
}
