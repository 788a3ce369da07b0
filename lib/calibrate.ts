import type { FittedCalibration } from './calibration/examples.js';
import { fit, numbered, resolveMethod } from './calibration/examples.js';
import type { CalibrationOptions } from './calibration/examples.js';
import { readJsonLines } from './calibration/file.js';
import type { Example } from './calibration/fit.js';
import type { Session } from './context.js';
import type { ContextInput, RequestOptions } from './options.js';
import { resolveContextInput, resolveQuestions, resolveSignal } from './options.js';
import { checkFields, invalid } from './options/checks.js';
import type { Answer, Question } from './questions/question.js';
import { classify } from './scoring.js';

/** What a question is asked on, and the answer that was right: true or false, a key, or the index of a level. */
export type LabelledInput = ContextInput & { label: string | number | boolean };

export type CalibrateOptions = CalibrationOptions & RequestOptions;

const mostAtOnce = 16; // Enough to fill a step, few enough for any queue.

/** Asks the question on every example and fits a calibration to the answers, whatever calibration the question has. */
export async function calibrate(
  session: Session,
  question: Question,
  source: string | Iterable<LabelledInput> | AsyncIterable<LabelledInput>,
  options: CalibrateOptions,
): Promise<FittedCalibration> {
  const method = resolveMethod(options, ['signal']);
  const signal = resolveSignal(options.signal);
  const asked = resolveQuestions({ question }, session.engine.info.vocabularySize);
  const examples: Example[] = [];
  const rows = typeof source === 'string' ? readJsonLines(source) : numbered(source);
  const ask = async ({ place, value }: { place: string; value: unknown }) => {
    const index = examples.push({ logits: [], label: 0 }) - 1; // Their order is that of the source.
    const { label, ...input } = checkFields(place, value);
    const resolved = resolveContextInput(input as unknown as ContextInput, session.engine.info.vocabularySize, false);
    const { question: answer } = await classify(session, resolved.input, undefined, asked, { ...resolved.how, signal });
    examples[index] = { logits: logitsOf(answer), label: labelIndex(answer, label, place) };
  };
  await forEach(rows, mostAtOnce, ask);
  return fit(examples, method);
}

function logitsOf({ logits }: Answer): number[] {
  return Object.values(logits);
}

function labelIndex({ logits }: Answer, label: unknown, place: string): number {
  const keys = Object.keys(logits);
  const key = typeof label === 'boolean' ? (label ? 'yes' : 'no') : String(label);
  const index = keys.indexOf(key);
  if (index === -1) throw invalid(`${place}.label`, label, `one of ${keys.join(', ')}`);
  return index;
}

/** At most `count` at a time; the first failure ends it. */
async function forEach<T>(source: AsyncIterator<T>, count: number, action: (value: T) => Promise<void>): Promise<void> {
  const work = async () => {
    for (let next = await source.next(); !next.done; next = await source.next()) await action(next.value);
  };
  try {
    await Promise.all(Array.from({ length: count }, work));
  } finally {
    await source.return?.();
  }
}
