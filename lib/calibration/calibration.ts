// What a fitted calibration is, and how it changes an answer's probabilities.

/** Probabilities are the softmax of logits ÷ `temperature` (Guo et al., arXiv 1706.04599, section 4.2); 1 = unchanged. */
export interface TemperatureCalibration {
  method: 'temperature';
  /** Above 0; larger than 1 where the model is too sure. */
  temperature: number;
}

/**
 * Of two labels a, b: P(a) = 1 ÷ (1 + exp(−(slope · (logit a − logit b) + intercept))) (Platt 1999, "Probabilistic
 * outputs for support vector machines", section 2.2); slope 1, intercept 0 = unchanged.
 */
export interface PlattCalibration {
  method: 'platt';
  slope: number;
  /** Moves the point of indifference: what a model that prefers one label whatever the text needs. */
  intercept: number;
}

/** Made by `fitCalibration()` or `model.calibrate()`, kept by `saveCalibration()`, used by a question's `calibration`. */
export type Calibration = TemperatureCalibration | PlattCalibration;

/** Calibrated logits: their softmax are the probabilities. Platt's method: exactly two. */
export function applyCalibration(calibration: Calibration | undefined, logits: readonly number[]): number[] {
  if (!calibration) return [...logits];
  if (calibration.method === 'temperature') return logits.map((logit) => logit / calibration.temperature);
  const [first, second] = logits as [number, number];
  return [calibration.slope * logOdds(first, second) + calibration.intercept, 0];
}

/** −∞ − (−∞) has no value: labels that are both impossible are equally so. */
export function logOdds(first: number, second: number): number {
  return first === second ? 0 : first - second;
}
