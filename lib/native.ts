// The whole boundary to native code, typed in one place. Values that go down are checked before (options.ts).

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Who computes: the best there is, llama.cpp itself, or kernels of ours for an instruction set. */
export type KernelsName = 'auto' | 'ggml' | 'avx512' | 'avx2' | 'neon' | 'portable';

/** Every field is present and checked: defaults belong to options.ts. */
export interface NativeEngineOptions {
  paths: string[];
  contextSize: number; // 0 = the model's
  cacheTokens: number; // 0 = chosen by the engine
  maxSequences: number;
  maxStepTokens: number;
  maxQueue: number; // requests that may wait to begin
  targetInterTokenMs: number; // 0 = none
  threads: number; // 0 = one per physical core
  gpuLayers: number; // -1 = all that fit, -2 = all
  cacheType: 'f32' | 'f16' | 'bf16' | 'q8_0';
  kernels: KernelsName;
  hiddenLayers: number[]; // ascending
}

export interface NativeModelInfo {
  architecture: string;
  description: string;
  name: string;
  chatTemplate: string; // '' = none
  kernels: string;
  device: string;
  gpuLayers: number;
  parameters: number;
  sizeBytes: number;
  vocabularySize: number;
  embeddingSize: number;
  layers: number;
  heads: number;
  kvHeads: number;
  trainedContextSize: number;
  contextSize: number;
  cacheTokens: number;
  maxSequences: number;
  maxStepTokens: number;
  threads: number;
  cacheType: string;
  bosToken: number; // -1 = none
  eosToken: number;
  bosText: string;
  eosText: string;
  addsBos: boolean;
  canFork: boolean;
  canGenerate: boolean;
  batchInvariant: boolean;
  maxTextTokens: number; // of a text to encode
  pooling: 'mean' | 'cls' | 'last'; // what the model was trained with
  vectorSize: number;
  classes: number; // of a classification head; 0 = none, and texts become vectors
  classNames: string[]; // as many, or none where the model doesn't name them
  pairSeparator: number; // between two texts that are read as one; -1 = none
  rerankTemplate: string; // a text with {query} and {document}; '' = they are read as a pair
  hasSegments: boolean; // trained to tell the texts of a pair apart by segments, which llama.cpp can't
  maxAdapters: number; // of a request; 0 = they can't be used
  decoderStart: number; // of an encoder–decoder model: the token that every answer begins behind; -1 = another kind
  hiddenLayers: number[]; // whose incoming states probes can read
  endTokens: number[];
}

export interface NativeQuestion {
  suffix: Int32Array;
  labels: Int32Array[]; // at least one, none empty
  topLogprobs?: number; // likeliest tokens that come with each token of a label; absent = none
}

/** Ways of drawing that few requests use. */
export interface NativeDecoding {
  ngramSizes: Int32Array;
  ngramPenalties: Float32Array; // same length; Infinity blocks
  ngramContext: boolean; // n-grams of the prompt count, too
  nucleusDecay: number; // 1 = off
  nucleusFloor: number;
  biasTexts: string[]; // of one token: wherever it may come; longer: where its last token would complete it
  biasTextValues: Float32Array; // same length; -Infinity bans
}

/** Its score is Σ weights · softmax(scales · logprob + offsets) over the labels. */
export interface NativeCheck extends NativeQuestion {
  scales: Float64Array; // [labels]
  offsets: Float64Array; // [labels]
  weights: Float64Array; // [labels]
  least: number; // the candidate passes from here
  most: number; // to here
}

/** What is asked of candidates while they are generated. */
export interface NativeChecks {
  every: number; // tokens; 0 = where sentences end
  after: number; // not before the text has as many tokens
  refills: number; // candidates that may begin in the place of stopped ones
  checks: NativeCheck[]; // at least one
}

/** weights · state + bias, of the state that enters a layer. */
export interface NativeProbe {
  name: string;
  layer: number;
  weights: Float32Array;
  bias: number;
}

export interface NativeEncode {
  texts: Int32Array[]; // at least one, none empty
  pooling: 'mean' | 'cls' | 'last';
  normalize: boolean; // vectors to length 1
}

/** A pinned prefix outside of the cache. */
export interface NativeSavedPrefix {
  state: Uint8Array; // keys and values, for the same model, cache type, kernels and version only
  row: Float32Array; // [vocabulary]: the logits behind its last token
}

/**
 * One call down per request. The prompt follows the tokens of `parent`; then `candidates` answers are generated, and
 * every question is asked behind each finished candidate (behind the prompt where candidates = 0).
 */
export interface NativeRequest {
  prompt: Int32Array; // may be empty only with a parent
  parent: number; // id of a pinned prefix; 0 = none
  saved?: NativeSavedPrefix; // with pin and without parent: restored instead of evaluated
  pin: boolean; // keep the prompt in the cache under this request's id until releasePrefix(); needs candidates = 0, no questions
  candidates: number;
  maxTokens: number;
  minTokens: number;
  ignoreEos: boolean;
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  repetitionPenalty: number;
  frequencyPenalty: number;
  presencePenalty: number;
  penaltyWindow: number; // 0 = the whole sequence
  biasTokens: Int32Array;
  biasValues: Float32Array; // same length
  seed: number; // integer, 0 … 2^53 − 1
  logprobs: boolean;
  topLogprobs: number;
  stop: string[];
  stopTokens: Int32Array;
  beam?: { lengthPenalty: number; earlyStopping: boolean }; // candidates are the beams of one search; absent = sampled
  decoding?: NativeDecoding; // absent = none of it
  grammar?: string; // GBNF that every answer keeps to; absent = none
  questions: NativeQuestion[];
  checks?: NativeChecks; // absent = none; needs candidates
  probes?: NativeProbe[]; // read at every row that a token is drawn from; absent = none
  encode?: NativeEncode; // instead of all that generates and asks; with an empty prompt
  timeoutMs: number; // from submit; 0 = none
  priority: number; // higher first
  namespace: string; // '' = the default one; with a parent, the parent's counts
  adapters?: NativeAdapter[]; // absent = none; with a parent, the parent's count
}

/** A low-rank adapter that is added to the weights. */
export interface NativeAdapter {
  path: string; // absolute
  scale: number; // a finite float32, not 0
}

export interface NativeLabelScore {
  logprob: number;
  tokenLogprobs: Float64Array;
  isGreedy: boolean;
  topTokens?: Int32Array; // [tokens × n], the likeliest first at each place; where topLogprobs was asked for
  topLogprobs?: Float64Array;
}

export interface NativeTopLogprob {
  token: number;
  text: string;
  logprob: number;
}

export type FinishReason = 'eos' | 'stop' | 'length';

/** Tokens that a request caused to be evaluated, and what it found in the cache. */
export interface NativeUsage {
  promptTokens: number; // length of the prompt, parent included
  cachedTokens: number; // of these, found in the cache
  evaluatedPromptTokens: number; // prompt + last tokens of candidates that questions follow + questions (design, section 10)
  questionTokens: number; // evaluated for questions: Σ t_q over all candidates, without the candidates' last tokens
  generatedTokens: number;
  recomputedTokens: number; // evaluated again after preemptions; in none of the other counts
}

/** Milliseconds. prefill, generate and score are the request's share of the steps' time, by rows. */
export interface NativeTimings {
  queueMs: number;
  firstTokenMs: number; // from submit; 0 = no token
  totalMs: number;
  prefillMs: number;
  generateMs: number;
  scoreMs: number;
}

export type NativeEvent =
  | {
      type: 'token';
      request: number;
      candidate: number;
      token: number;
      text: string; // '' while a character or a stop string is incomplete; the last one brings what was held back
      logprob?: number;
      topLogprobs?: NativeTopLogprob[];
      probes?: Record<string, number>;
    }
  | {
      type: 'candidate';
      request: number;
      candidate: number;
      reason: FinishReason | 'rejected'; // 'rejected': a check has stopped it
      stopString?: string;
      tokens: number; // generated, the end token included
    }
  | {
      type: 'check';
      request: number;
      candidate: number;
      tokens: number; // of its text when it was asked
      values: Float64Array; // [checks]
      failed: number; // index of the first check that it did not pass; −1 = it goes on
    }
  | {
      type: 'score';
      request: number;
      candidate: number; // −1 = on the prompt
      question: number;
      labels: NativeLabelScore[];
    }
  | { type: 'vector'; request: number; text: number; values: Float32Array } // a text's embedding, or the scores of its classes
  | { type: 'finish'; request: number; usage: NativeUsage; timings: NativeTimings } // last of a request; a pinned prefix is ready
  | { type: 'error'; request: number; code: string; message: string; facts: Record<string, number> } // last of a request
  | { type: 'log'; level: LogLevel; line: string }
  | { type: 'progress'; loaded: number }; // 0 … 1 while the model loads

/** Milliseconds. Quantiles are off by 4.5 % at most. */
export interface NativeLatency {
  count: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

export type NativeScore = Extract<NativeEvent, { type: 'score' }>;

export interface NativeStats {
  running: number; // requests
  waiting: number;
  usedCells: number;
  pinnedCells: number;
  cachedCells: number; // of sequences that nobody runs
  totalCells: number;
  usedSequences: number; // cached ones included
  cachedSequences: number;
  totalSequences: number;
  steps: number;
  evaluatedTokens: number;
  generatedTokens: number;
  prefixHitTokens: number;
  prefixMissTokens: number;
  submittedRequests: number;
  callbacks: number; // calls up
  preemptions: number; // of candidates, prompts and questions that gave up their cells
  heldSteps: number; // steps with fewer rows than there could be, for targetInterTokenMs
  recomputedTokens: number; // of finished requests: evaluated again after preemptions
  batchSizes: number[]; // [i]: steps with 2^i … 2^(i+1) − 1 rows; the last: or more
  firstTokenMs: NativeLatency; // from submit
  interTokenMs: NativeLatency; // between two tokens of a candidate
  timeMs: { prefill: number; generate: number; score: number; plan: number }; // of all steps, shared by rows; planning apart
}

export interface NativeEngine {
  readonly info: NativeModelInfo;
  /** Returns the request's id, from 1. What can't be served ends in an 'error' event; a closed engine and a full queue throw. */
  submit(request: NativeRequest): number;
  /** Events that are already on their way may still arrive: ignore them. Unknown and finished ids are fine. */
  cancel(request: number): void;
  /** Forgets a pinned prefix; its cells become evictable. Requests that already run on it go on. */
  releasePrefix(request: number): void;
  /** What `saved` of a request takes. Rejects with ERR_PREFIX_CLOSED and ERR_UNSUPPORTED. */
  savePrefix(prefix: number): Promise<NativeSavedPrefix>;
  /** Reads it now. Rejects with ERR_ADAPTER_NOT_FOUND, ERR_ADAPTER_FILE, ERR_ADAPTER_MISMATCH, ERR_UNSUPPORTED, ERR_OUT_OF_MEMORY. */
  loadAdapter(path: string): Promise<void>;
  /** One that isn't loaded is fine. Rejects with ERR_ADAPTER_IN_USE. */
  unloadAdapter(path: string): Promise<void>;
  tokenize(text: string, addSpecial: boolean, parseSpecial: boolean): Int32Array;
  detokenize(tokens: Int32Array, special: boolean): string;
  stats(): NativeStats;
  /** drain: lets open requests end first; otherwise they are dropped without an event. Twice is fine. */
  close(drain: boolean): Promise<void>;
}

export interface NativeAddon {
  /** `onEvents` gets one batch of events per step of the engine. Engines with equal options are shared by the process. */
  openEngine(options: NativeEngineOptions, onEvents: (events: NativeEvent[]) => void): Promise<NativeEngine>;
  /** May abort the process on a malformed file: for a child process only. */
  checkVocabulary(path: string): void;
  buildInfo(): Record<string, string>;
  /** Locks the file behind a descriptor until that is closed or its process ends. false = another has it. */
  tryLockFile(descriptor: number): boolean;
}
