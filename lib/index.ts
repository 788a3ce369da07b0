import { addonWarnings, loadAddon } from './addon.js';
import { openModel } from './model.js';
import type { Model } from './model.js';
import type { ModelProgress } from './models/index.js';
import { resolveModel } from './models/index.js';
import type { LoadOptions } from './options.js';
import { resolveLoadOptions } from './options.js';
import { checkFilledText } from './options/checks.js';

/**
 * Loads a model: the name of one that Winnow knows ('smollm2-135m'), the path of a GGUF file, or
 * `hf:owner/repository/file.gguf`. What is missing is downloaded into the cache folder and checked.
 *
 * @example
 * const model = await loadModel('smollm2-135m', { contextSize: 4096 });
 */
export async function loadModel(source: string, options?: LoadOptions): Promise<Model> {
  const resolved = resolveLoadOptions(options);
  const checked = checkFilledText('source', source);
  const { signal, cacheFolder } = resolved;
  signal?.throwIfAborted();
  const { paths } = await resolveModel(checked, { signal, cacheFolder, onProgress: reporter(resolved.onProgress) });
  const addon = loadAddon();
  for (const line of addonWarnings()) resolved.log?.('warn', line);
  return openModel(addon, paths, resolved);
}

function reporter(onProgress: LoadOptions['onProgress']): ((progress: ModelProgress) => void) | undefined {
  return (
    onProgress && (({ phase, bytes, totalBytes }) => onProgress({ phase, loaded: bytes, total: totalBytes || null }))
  );
}

export { Model } from './model.js';
export type { EncodingInfo, ModelInfo, Stats } from './model.js';
export type { ConstraintOptions, JsonSchema, StandardSchema } from './constraint/constraint.js';
export type { Capabilities } from './capabilities.js';
export { Prefix } from './prefix.js';
export { RequestStream } from './request-stream.js';
export { Generation } from './generation.js';
export type { FinishEvent, GenerationEvent, GenerationResult, TokenEvent } from './generation.js';
export { Sampling } from './sampling.js';
export type {
  CandidateFinishEvent,
  CandidateTokenEvent,
  SampleEvent,
  SampleFinishEvent,
  SampleResult,
} from './sampling.js';
export type { BeamHypothesis, BeamResult } from './beam.js';
export type { CandidateCheckEvent, CheckSummary } from './check-log.js';
export type {
  CandidateCompletion,
  Completion,
  FinishReason,
  Rejection,
  Timings,
  TokenDetails,
  TopLogprob,
  Usage,
} from './candidates.js';
export { WinnowTurn } from './recipes/turn.js';
export type {
  RejectEvent,
  ScoreEvent,
  StoppedCandidate,
  WinnowCandidate,
  WinnowEvent,
  WinnowResult,
} from './recipes/turn.js';
export { lamdaAttributes, lamdaSelection } from './recipes/lamda.js';
export type { LamdaAttributes, LamdaSelection, LamdaSelectionOptions } from './recipes/lamda.js';
export type { ScoreOf, Scores } from './recipes/scores.js';
export type { Perplexity, PromptToken } from './rolling.js';
export type { Likelihood } from './scoring.js';
export type { RankedDocument, TextClass } from './heads.js';
export { fitCalibration } from './calibration/examples.js';
export type { CalibrationExample, CalibrationOptions, FittedCalibration } from './calibration/examples.js';
export { loadCalibration, saveCalibration } from './calibration/file.js';
export {
  areaUnderCurve,
  brierScore,
  expectedCalibrationError,
  formatReliability,
  reliabilityTable,
} from './calibration/metrics.js';
export type { Prediction, ReliabilityBin } from './calibration/metrics.js';
export type { Calibration, PlattCalibration, TemperatureCalibration } from './calibration/calibration.js';
export type { CalibrateOptions, LabelledInput } from './calibrate.js';
export type * from './questions/question.js';
export type {
  Adapter,
  AdapterOptions,
  AppendedContext,
  AppendedInput,
  BeamOptions,
  BeamSearchOptions,
  ChatTemplateOptions,
  ChecksOptions,
  CheckThreshold,
  CloseOptions,
  ContextInput,
  DecodingOptions,
  DetokenizeOptions,
  EmbedOptions,
  FactualNucleus,
  GenerateOptions,
  GenerationOptions,
  Input,
  KeepRule,
  LoadOptions,
  LoadProgress,
  Message,
  MessagesInput,
  NamespaceOptions,
  NgramPenalty,
  PrefixBeamOptions,
  Pooling,
  Probe,
  Probes,
  PrefixGenerateOptions,
  PromptInput,
  PromptLogprobsOptions,
  RequestOptions,
  RollingOptions,
  SampleOptions,
  ScheduleOptions,
  Selection,
  TextBias,
  TextInput,
  TokenizeOptions,
  WinnowOptions,
} from './options.js';
export {
  AdapterError,
  CancelledError,
  CapabilityError,
  ClosedError,
  ConstraintError,
  ContextOverflowError,
  EngineError,
  OptionError,
  QueueFullError,
  OutputError,
  PrefixFileError,
  TemplateError,
  TimeoutError,
  WinnowError,
} from './errors.js';
export type { ErrorCode, OutputIssue } from './errors.js';
export { AddonLoadError } from './addon.js';
export { ModelDownloadError, ModelFileError, ModelSourceError } from './models/index.js';
export type { RequestFinishMessage, RequestStartMessage } from './engine.js';
export type { LogLevel } from './native.js';
