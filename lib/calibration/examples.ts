import { OptionError } from '../errors.js';
import { checkFields, checkNames, checkOneOf, invalid } from '../options/checks.js';
import type { Calibration } from './calibration.js';
import { applyCalibration } from './calibration.js';
import { readJsonLines } from './file.js';
import type { Example } from './fit.js';
import { fitPlatt, fitTemperature } from './fit.js';

/** An answer's `logits` and the label that was right: by key, by index, and for a boolean answer true or false. */
export interface CalibrationExample {
  logits: readonly number[] | Readonly<Record<string, number>>;
  label: string | number | boolean;
}

export interface CalibrationOptions {
  /** 'platt' is for two labels. @default 'temperature' */
  method?: Calibration['method'];
}

/** A calibration with the log loss of its examples (nats per example) without and with it. */
export interface FittedCalibration {
  calibration: Calibration;
  examples: number;
  logLossBefore: number;
  logLossAfter: number;
}

/**
 * Fits a calibration by maximum likelihood. `source`: the examples, or the path of a JSON Lines file with one of them in
 * a line. Rejects with OptionError for an example that can't be one.
 *
 * @example
 * const { calibration } = await fitCalibration([{ logits: answer.logits, label: true }, …], { method: 'platt' });
 */
export async function fitCalibration(
  source: string | Iterable<CalibrationExample> | AsyncIterable<CalibrationExample>,
  options: CalibrationOptions = {},
): Promise<FittedCalibration> {
  const method = resolveMethod(options);
  const examples: Example[] = [];
  for await (const { place, value } of typeof source === 'string' ? readJsonLines(source) : numbered(source))
    examples.push(toExample(place, value));
  return fit(examples, method);
}

export function resolveMethod(options: CalibrationOptions, moreNames: readonly string[] = []): Calibration['method'] {
  const fields = checkFields('options', options);
  checkNames('options', fields, ['method', ...moreNames]);
  return checkOneOf('method', fields['method'] ?? 'temperature', ['temperature', 'platt']);
}

/** At least two examples, all with the same number of labels. */
export function fit(examples: readonly Example[], method: Calibration['method']): FittedCalibration {
  const labels = examples[0]?.logits.length;
  if (examples.length < 2 || examples.some(({ logits }) => logits.length !== labels))
    throw new OptionError(
      'ERR_OPTION_VALUE',
      'Calibration needs at least two examples, all with the same labels',
      'examples',
      examples.length,
    );
  if (method === 'platt' && labels !== 2)
    throw new OptionError('ERR_OPTION_VALUE', `Platt's method is for two labels, not ${labels}`, 'method', method);
  const calibration = method === 'platt' ? fitPlatt(examples) : fitTemperature(examples);
  return {
    calibration,
    examples: examples.length,
    logLossBefore: logLoss(examples, undefined),
    logLossAfter: logLoss(examples, calibration),
  };
}

function logLoss(examples: readonly Example[], calibration: Calibration | undefined): number {
  const losses = examples.map(({ logits, label }) => {
    const calibrated = applyCalibration(calibration, logits);
    const largest = Math.max(...calibrated);
    return largest - calibrated[label] + Math.log(calibrated.reduce((sum, z) => sum + Math.exp(z - largest), 0));
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

export async function* numbered<T>(
  source: Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<{ place: string; value: unknown }> {
  let index = 0;
  for await (const value of source) yield { place: `examples[${index++}]`, value };
}

function toExample(place: string, value: unknown): Example {
  const { logits, label } = checkFields(place, value);
  const entries = Object.entries(Array.isArray(logits) ? logits : checkFields(`${place}.logits`, logits));
  for (const [key, logit] of entries)
    if (typeof logit !== 'number' || Number.isNaN(logit) || logit === Infinity)
      throw invalid(`${place}.logits.${key}`, logit, 'a log-probability');
  const key = typeof label === 'boolean' ? (label ? 'yes' : 'no') : String(label);
  const index = entries.findIndex(([name]) => name === key);
  if (index === -1) throw invalid(`${place}.label`, label, `one of ${entries.map(([name]) => name).join(', ')}`);
  return { logits: entries.map(([, logit]) => logit as number), label: index };
}
