import { WinnowError } from '../errors.js';

/** Code `ERR_EVAL_CLASSIFIER`: your classifier can't be loaded, has thrown, or did not return a finite number. */
export class EvalError extends WinnowError {
  override name = 'EvalError';
}
