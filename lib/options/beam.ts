import { checkBoolean, checkFields, checkInteger, checkNames, checkNumber, withDefault } from './checks.js';
import type { GenerationOptions, NativeSampling } from './generate.js';
import { resolveSampling } from './generate.js';
import type { AppendedInput, Input, ResolvedInput } from './input.js';
import { inputNames, resolveInput, resolveSignal } from './input.js';
import type { NamespaceOptions, NativeSchedule, ScheduleOptions } from './schedule.js';
import { namespaceNames, resolveSchedule, scheduleNames } from './schedule.js';

/** Options of a beam search. */
export interface BeamSearchOptions
  extends
    ScheduleOptions,
    Pick<
      GenerationOptions,
      'maxTokens' | 'minTokens' | 'ignoreEos' | 'stopTokens' | 'noRepeatNgram' | 'ngramScope' | 'signal'
    > {
  /** Texts that are kept at each length, 1 to 64. @default 10, as BlenderBot 3 */
  beams?: number;
  /** α: the score is log P ÷ tokens^α. 0 = the sum, 1 = the mean per token, −10 to 10. @default 1 */
  lengthPenalty?: number;
  /** End with as many finished texts as beams; false = when no running one can beat the worst of them. @default true */
  earlyStopping?: boolean;
}

/** Options of `model.beam()`. */
export type BeamOptions = BeamSearchOptions & NamespaceOptions & Input;
/** Options of `prefix.beam()`. */
export type PrefixBeamOptions = BeamSearchOptions & AppendedInput;

/** @internal */
export interface ResolvedBeamOptions {
  input: ResolvedInput;
  sampling: NativeSampling & NativeSchedule;
  beams: number;
  beam: { lengthPenalty: number; earlyStopping: boolean };
  signal?: AbortSignal;
}

const drawing = ['maxTokens', 'minTokens', 'ignoreEos', 'stopTokens', 'noRepeatNgram', 'ngramScope'] as const;
const names = [...inputNames, ...scheduleNames, ...drawing, 'beams', 'lengthPenalty', 'earlyStopping', 'signal'];
const maxBeams = 64;

export function resolveBeamOptions(
  options: PrefixBeamOptions,
  vocabularySize: number,
  mayBeMissing: boolean,
): ResolvedBeamOptions {
  checkNames('options', checkFields('options', options), [...names, ...(mayBeMissing ? [] : namespaceNames)]);
  const chosen = Object.fromEntries(drawing.map((name) => [name, options[name]]));
  const sampling = resolveSampling({ ...chosen, temperature: 0, seed: 0, logprobs: true }, vocabularySize);
  return {
    input: resolveInput(options, vocabularySize, mayBeMissing),
    sampling: { ...sampling, ...resolveSchedule(options) },
    beams: checkInteger('beams', withDefault(options.beams, 10), 1, maxBeams),
    beam: {
      lengthPenalty: checkNumber(
        'lengthPenalty',
        withDefault(options.lengthPenalty, 1),
        'from -10 to 10',
        (value) => Math.abs(value) <= 10,
      ),
      earlyStopping: checkBoolean('earlyStopping', withDefault(options.earlyStopping, true)),
    },
    signal: resolveSignal(options.signal),
  };
}
