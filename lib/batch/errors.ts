import { WinnowError } from '../errors.js';

/**
 * A job over files could not begin or go on. What has been written stays; the same command goes on from there.
 * Codes: `ERR_JOB_LOCKED` (another process writes this output), `ERR_JOB_MISMATCH` (the output belongs to other input,
 * model or options), `ERR_JOB_OUTPUT` (the output can't be written or read back), `ERR_JOB_INPUT` (the input, or a file of the
 * model, can't be read), `ERR_JOB_ERRORS` (more row errors than were allowed).
 */
export class JobError extends WinnowError {
  override name = 'JobError';
  readonly file: string;

  constructor(
    code: 'ERR_JOB_LOCKED' | 'ERR_JOB_MISMATCH' | 'ERR_JOB_OUTPUT' | 'ERR_JOB_INPUT' | 'ERR_JOB_ERRORS',
    message: string,
    file: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.file = file;
  }
}

export const goOn = 'What has been written is kept: run the same command again to go on from there.';

const diskIsFull = new Set(['ENOSPC', 'EDQUOT']);

/** What the system said of a file of the job, and how to go on. What is a JobError already stays as it is. */
export function outputError(file: string, what: 'written' | 'read', cause: unknown): JobError {
  if (cause instanceof JobError) return cause;
  const { message, code = '' } = cause as NodeJS.ErrnoException;
  const advice = diskIsFull.has(code) ? 'Make room on its disk.' : 'Mend that.';
  const text = `${file} can't be ${what}: ${message}. ${advice} ${goOn}`;
  return new JobError('ERR_JOB_OUTPUT', text, file, { cause });
}

/** A row that can't be read or asked. Codes: `ERR_ROW_JSON`, `ERR_ROW_ENCODING`, `ERR_ROW_LENGTH`, `ERR_ROW_DUPLICATE`. */
export class RowDataError extends WinnowError {
  override name = 'RowDataError';
}
