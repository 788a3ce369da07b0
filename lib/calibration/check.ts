import { checkFields, checkNames, checkNumber, checkOneOf } from '../options/checks.js';
import type { Calibration } from './calibration.js';

/** A calibration as it came from a file or from a user, without what else is known of it. Throws OptionError. */
export function checkCalibration(path: string, value: unknown): Calibration {
  const fields = checkFields(path, value);
  const method = checkOneOf(`${path}.method`, fields['method'], ['temperature', 'platt']);
  const number = (name: string, allowed: string, isAllowed: (value: number) => boolean) =>
    checkNumber(`${path}.${name}`, fields[name], allowed, isAllowed);
  if (method === 'temperature') {
    checkNames(path, fields, ['method', 'temperature']);
    return { method, temperature: number('temperature', 'above 0', (value) => value > 0) };
  }
  checkNames(path, fields, ['method', 'slope', 'intercept']);
  const anyNumber = () => true;
  return {
    method,
    slope: number('slope', 'a finite number', anyNumber),
    intercept: number('intercept', 'a finite number', anyNumber),
  };
}
