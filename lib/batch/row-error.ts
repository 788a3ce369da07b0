import type { ErrorCode } from '../errors.js';
import { WinnowError } from '../errors.js';

/** Why a row has no result; the others have theirs. */
export interface RowError {
  /** The error's class, such as `OptionError`. */
  class: string;
  code: ErrorCode;
  message: string;
  /** How often the row was tried again. */
  retries: number;
}

export function rowError(error: unknown, retries = 0): RowError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { class: name, code: error instanceof WinnowError ? error.code : 'ERR_ROW', message, retries };
}

const mostRetries = 3;
const passing: ReadonlySet<ErrorCode> = new Set(['ERR_CACHE_FULL', 'ERR_TEMPLATE_TIMEOUT']);
/** These are not about the row: the whole run ends. */
const fatal: ReadonlySet<ErrorCode> = new Set(['ERR_MODEL_CLOSED', 'ERR_CANCELLED']);

export type Settled<Result> = { result: Result; error?: undefined } | { result?: undefined; error: RowError };

/** What passes by itself is tried again, at most three times. Throws what is not about this row. */
export async function settleRow<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Settled<Result>> {
  for (let retries = 0; ; retries++) {
    try {
      return { result: await work() };
    } catch (error) {
      signal.throwIfAborted();
      const code = error instanceof WinnowError ? error.code : undefined;
      if (!code || fatal.has(code)) throw error;
      if (!passing.has(code) || retries === mostRetries) return { error: rowError(error, retries) };
      await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** retries));
    }
  }
}
