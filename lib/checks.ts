// Questions asked of candidates while they are generated, down as tokens and numbers; what comes back: check-log.ts.
import type { CompiledChecks } from './check-log.js';
import type { Context, Session } from './context.js';
import type { NativeAdapter, NativeCheck, NativeQuestion } from './native.js';
import type { ResolvedChecks } from './options.js';
import { priorShift } from './questions/answer.js';
import type { Question } from './questions/question.js';
import { compileBehind } from './scoring.js';

export async function compileChecks(
  session: Session,
  context: Context,
  checks: ResolvedChecks | undefined,
  adapters: readonly NativeAdapter[],
): Promise<CompiledChecks | undefined> {
  if (!checks) return undefined;
  const compiled = await compileBehind(session, context, checks.questions, true, adapters);
  const native = checks.questions.map(([, question], index): NativeCheck => {
    const asked = compiled.native[index];
    const { min, max } = checks.thresholds[index];
    const weights = Float64Array.from(checks.weights[index]);
    return { ...asked, ...readingOf(question, asked, compiled.priors[index]), weights, least: min, most: max };
  });
  const { every, after, refills } = checks;
  return { native: { every, after, refills, checks: native }, names: checks.questions.map(([name]) => name) };
}

/** Normalisation and calibration of readLabels() as one scale and one offset per label. */
function readingOf(question: Question, { labels }: NativeQuestion, prior: readonly number[] | undefined) {
  const { normalization, calibration } = question;
  const scales = labels.map(({ length }) => (normalization === 'mean' ? 1 / length : 1));
  const offsets = labels.map((_, label) => (normalization === 'prior' ? -priorShift(prior![label]) : 0));
  const factor =
    calibration?.method === 'temperature' ? 1 / calibration.temperature : calibration ? calibration.slope : 1;
  const intercept = calibration?.method === 'platt' ? calibration.intercept : 0;
  return {
    scales: Float64Array.from(scales, (scale) => scale * factor),
    offsets: Float64Array.from(offsets, (offset, label) => offset * factor + (label === 0 ? intercept : 0)),
  };
}
