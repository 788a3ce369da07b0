import type { ModelProgress } from '../models/progress.js';
import type { KernelsName, LogLevel, NativeEngineOptions } from '../native.js';
import {
  checkArray,
  checkFields,
  checkFilledText,
  checkFunction,
  checkInteger,
  checkNames,
  checkNumber,
  checkOneOf,
  checkSignal,
  invalid,
  withDefault,
} from './checks.js';

/** `loaded` of `total`: a share of 1 for 'load', else bytes; total null = not known. */
export interface LoadProgress {
  phase: ModelProgress['phase'] | 'load';
  loaded: number;
  total: number | null;
}

export interface LoadOptions {
  /** Longest sequence, prompt and answer together, in tokens. @default what the model was trained for */
  contextSize?: number;
  /** Cells of the KV cache, shared by all sequences: one per token. @default chosen by the engine from contextSize */
  cacheTokens?: number;
  /** Running and cached sequences together, 1 to 256. @default 256 */
  maxSequences?: number;
  /** Requests that may wait to begin; one more fails with `ERR_QUEUE_FULL`. @default 10,000 */
  maxQueue?: number;
  /** Tokens evaluated in one step. Larger: faster prefill, later cancel. @default 512 */
  maxStepTokens?: number;
  /**
   * Milliseconds between two tokens of the streams of highest priority. Requests of lower priority are held back as far as
   * the steps need it, but go on with at least one token per step. Those of equal priority are not, so it takes `priority`.
   * @default none: running candidates have a token per step, prompts fill its rest
   */
  targetInterTokenMs?: number;
  /** Most compute threads of a step; fewer compute while another program or thread has a core. @default one per physical core */
  threads?: number;
  /**
   * Layers on GPUs, the last ones first, the output as one more; 0 = none. 'max' or a count that the devices' free memory
   * has no room for is refused with `ERR_OUT_OF_MEMORY`, which says what would fit. Without a GPU the CPU takes them all,
   * and `log` gets a line. Several devices share the layers by their free memory. @default 'auto': all that fit
   */
  gpuLayers?: number | 'auto' | 'max';
  /** Number type of the KV cache. @default 'f16' */
  cacheType?: 'f32' | 'f16' | 'bf16' | 'q8_0';
  /**
   * 'ggml' = llama.cpp's own arithmetic; 'avx512', 'avx2', 'portable' = ours for that instruction set, refused with
   * `ERR_UNSUPPORTED` where the processor lacks it ('portable' is for tests: slow). @default WINNOW_KERNELS of the
   * environment, else 'auto': ours for the best instruction set; ggml's on a GPU
   */
  kernels?: KernelsName;
  /**
   * Layers whose incoming hidden states `probes` may read, from 0; architectures llama, qwen3, qwen3moe and gpt-oss, others
   * fail with `ERR_UNSUPPORTED`. @default none
   */
  hiddenLayers?: readonly number[];
  /** Jinja source that replaces the model's own chat template. @default the model's */
  chatTemplate?: string;
  /** Where downloaded models are kept. @default WINNOW_HOME of the environment, else the user's cache folder */
  cacheFolder?: string;
  /** Gets the engine's and llama.cpp's lines; without it they are dropped. */
  log?: (level: LogLevel, line: string) => void;
  onProgress?: (progress: LoadProgress) => void;
  /** Gives up downloading and loading; the promise rejects with its reason. */
  signal?: AbortSignal;
}

export interface ResolvedLoadOptions {
  native: Omit<NativeEngineOptions, 'paths'>;
  chatTemplate?: string;
  cacheFolder?: string;
  log?: (level: LogLevel, line: string) => void;
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
}

const names = {
  contextSize: 0,
  cacheTokens: 0,
  maxSequences: 0,
  maxStepTokens: 0,
  maxQueue: 0,
  targetInterTokenMs: 0,
  threads: 0,
  gpuLayers: 0,
  cacheType: 0,
  kernels: 0,
  hiddenLayers: 0,
  chatTemplate: 0,
  cacheFolder: 0,
  log: 0,
  onProgress: 0,
  signal: 0,
} satisfies Record<keyof LoadOptions, 0>;

const maxHiddenLayers = 64;
const largest = 2 ** 31 - 1; // What native code counts with.

export function resolveLoadOptions(options: LoadOptions = {}): ResolvedLoadOptions {
  const fields = checkFields('options', options);
  checkNames('options', fields, Object.keys(names));
  return {
    native: resolveEngineOptions(options),
    chatTemplate: optional(options.chatTemplate, (value) => checkFilledText('chatTemplate', value)),
    cacheFolder: optional(options.cacheFolder, (value) => checkFilledText('cacheFolder', value)),
    log: optional(options.log, (value) => checkFunction<NonNullable<LoadOptions['log']>>('log', value)),
    onProgress: optional(options.onProgress, (value) =>
      checkFunction<NonNullable<LoadOptions['onProgress']>>('onProgress', value),
    ),
    signal: optional(options.signal, (value) => checkSignal('signal', value)),
  };
}

function resolveEngineOptions(options: LoadOptions): Omit<NativeEngineOptions, 'paths'> {
  const count = (name: 'contextSize' | 'cacheTokens' | 'threads', max = largest) =>
    options[name] === undefined ? 0 : checkInteger(name, options[name], 1, max);
  return {
    contextSize: count('contextSize'),
    cacheTokens: count('cacheTokens'),
    maxSequences: checkInteger('maxSequences', withDefault(options.maxSequences, 256), 1, 256),
    maxStepTokens: checkInteger('maxStepTokens', withDefault(options.maxStepTokens, 512), 1, largest),
    maxQueue: checkInteger('maxQueue', withDefault(options.maxQueue, 10_000), 1, largest),
    targetInterTokenMs: resolveTarget(options.targetInterTokenMs),
    threads: count('threads', 1024),
    gpuLayers: resolveGpuLayers(withDefault(options.gpuLayers, 'auto')),
    cacheType: checkOneOf('cacheType', withDefault(options.cacheType, 'f16'), ['f32', 'f16', 'bf16', 'q8_0']),
    kernels: resolveKernels(options.kernels),
    hiddenLayers: resolveHiddenLayers(withDefault(options.hiddenLayers, [])),
  };
}

/** Ascending, each once. */
function resolveHiddenLayers(value: unknown): number[] {
  const layers = checkArray('hiddenLayers', value, 0, maxHiddenLayers, 'layers').map((layer, index) =>
    checkInteger(`hiddenLayers[${index}]`, layer, 0, largest),
  );
  return [...new Set(layers)].sort((a, b) => a - b);
}

function resolveTarget(value: unknown): number {
  return value === undefined
    ? 0
    : checkNumber('targetInterTokenMs', value, 'a positive number', (number) => number > 0);
}

function resolveGpuLayers(value: unknown): number {
  if (value === 'auto') return -1;
  if (value === 'max') return -2;
  if (typeof value !== 'number') throw invalid('gpuLayers', value, "'auto', 'max' or a count of layers");
  return checkInteger('gpuLayers', value, 0, largest);
}

function resolveKernels(value: unknown): KernelsName {
  const known: KernelsName[] = ['auto', 'ggml', 'avx512', 'avx2', 'neon', 'portable'];
  if (value !== undefined) return checkOneOf('kernels', value, known);
  return checkOneOf('WINNOW_KERNELS', process.env['WINNOW_KERNELS'] || 'auto', known);
}

function optional<T>(value: unknown, check: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : check(value);
}
