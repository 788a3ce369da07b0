import type {
  FinishReason,
  NativeAddon,
  NativeEncode,
  NativeEngine,
  NativeEngineOptions,
  NativeEvent,
  NativeLabelScore,
  NativeModelInfo,
  NativeRequest,
  NativeSavedPrefix,
  NativeStats,
  NativeUsage,
} from '../../lib/native.js';
import { Vocabulary, vocabularySize } from './fake-vocabulary.js';

// A native engine of pure JavaScript that keeps to the contract of lib/native.ts: one batch of events per step, nothing
// within submit(). What it answers is scripted, what it is asked is recorded.

/** What one candidate says, piece by piece. After the pieces it ends with `reason`, or sooner at maxTokens. */
export interface Script {
  pieces: string[];
  reason?: FinishReason; // 'eos'
  stopString?: string;
  rest?: string; // Held back and shown with the end token.
}

export interface LabelPlace {
  /** What the request brings itself, without its prefix. */
  prompt: string;
  label: string;
  index: number;
  question: number;
  suffix: string;
  candidate: number;
}

export interface FakeOptions {
  info?: Partial<NativeModelInfo>;
  answer?: (candidate: number, request: NativeRequest) => Script;
  /** log P of a whole label. */
  logprob?: (place: LabelPlace) => number;
  /** Value of a check, asked when the candidate has as many tokens. */
  checkValue?: (place: { candidate: number; tokens: number; check: number }) => number;
  /** Requests (by their order, from 0) that end in this error after their first step. */
  errors?: Record<number, { code: string; message: string; facts?: Record<string, number> }>;
  /** Thrown by submit(). */
  submitError?: Error;
  /** The vector of a text, or the scores of its classes. */
  vector?: (text: string) => number[];
  openError?: Error;
  /** Steps happen in step() only, not by themselves. */
  manual?: boolean;
}

export const chatTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

const defaultInfo: NativeModelInfo = {
  architecture: 'fake',
  description: 'fake 1M F32',
  name: 'Fake',
  chatTemplate,
  kernels: 'ggml',
  device: 'CPU',
  gpuLayers: 0,
  parameters: 1_000_000,
  sizeBytes: 4_000_000,
  vocabularySize,
  embeddingSize: 64,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  trainedContextSize: 2048,
  contextSize: 1024,
  cacheTokens: 4096,
  maxSequences: 256,
  maxStepTokens: 512,
  threads: 1,
  cacheType: 'f16',
  bosToken: 1,
  eosToken: 2,
  bosText: '<s>',
  eosText: '</s>',
  addsBos: true,
  canFork: true,
  canGenerate: true,
  batchInvariant: false,
  maxTextTokens: 64,
  pooling: 'last',
  vectorSize: 3,
  classes: 0,
  classNames: [],
  pairSeparator: -1,
  rerankTemplate: '',
  hasSegments: false,
  maxAdapters: 8,
  decoderStart: -1,
  hiddenLayers: [],
  endTokens: [2],
};

const defaultScript: Script = { pieces: ['Hello', ' world', '!'] };
const timings = { queueMs: 1, firstTokenMs: 2, totalMs: 10, prefillMs: 3, generateMs: 4, scoreMs: 2 };

export class FakeNative implements NativeAddon, NativeEngine {
  readonly info: NativeModelInfo;
  readonly vocabulary = new Vocabulary();
  readonly opened: NativeEngineOptions[] = [];
  readonly submitted: NativeRequest[] = [];
  readonly cancelled: number[] = [];
  readonly released: number[] = [];
  readonly loadedAdapters: string[] = [];
  readonly unloadedAdapters: string[] = [];
  readonly closed: boolean[] = []; // The drain of each close().
  callbacks = 0;
  steps = 0;

  readonly #options: FakeOptions;
  readonly #running = new Map<number, Generator<NativeEvent[], NativeEvent[]>>();
  readonly #prefixes = new Map<number, number>(); // Lengths.
  #onEvents!: (events: NativeEvent[]) => void;
  #isScheduled = false;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.info = { ...defaultInfo, ...options.info };
  }

  async openEngine(options: NativeEngineOptions, onEvents: (events: NativeEvent[]) => void): Promise<NativeEngine> {
    if (this.#options.openError) throw this.#options.openError;
    this.opened.push(options);
    this.#onEvents = onEvents;
    this.emit([
      { type: 'log', level: 'info', line: 'loading' },
      { type: 'progress', loaded: 0.5 },
    ]);
    return this;
  }

  submit(request: NativeRequest): number {
    if (this.#options.submitError) throw this.#options.submitError;
    if (this.closed.length > 0) throw codedError('ERR_MODEL_CLOSED');
    if (request.parent !== 0 && !this.#prefixes.has(request.parent)) throw codedError('ERR_PREFIX_CLOSED');
    const id = this.submitted.push(request);
    this.#running.set(id, this.#run(id, request));
    this.#schedule();
    return id;
  }

  cancel(id: number): void {
    this.cancelled.push(id);
    this.#running.delete(id);
  }

  async savePrefix(id: number): Promise<NativeSavedPrefix> {
    if (!this.#prefixes.has(id)) throw codedError('ERR_PREFIX_CLOSED');
    return { state: Uint8Array.of(1, 2, 3, id), row: Float32Array.of(0.5, -2) };
  }

  async loadAdapter(path: string): Promise<void> {
    const message = `${path} can't be used`;
    if (path.includes('other-model')) throw Object.assign(codedError('ERR_ADAPTER_MISMATCH'), { message });
    this.loadedAdapters.push(path);
  }

  async unloadAdapter(path: string): Promise<void> {
    if (path.includes('in-use')) throw codedError('ERR_ADAPTER_IN_USE');
    this.unloadedAdapters.push(path);
  }

  releasePrefix(id: number): void {
    this.released.push(id);
    this.#prefixes.delete(id);
  }

  tokenize(text: string, addSpecial: boolean, parseSpecial: boolean): Int32Array {
    const tokens = this.vocabulary.tokenize(text, parseSpecial);
    return Int32Array.from(addSpecial && this.info.addsBos ? [this.info.bosToken, ...tokens] : tokens);
  }

  detokenize(tokens: Int32Array, special: boolean): string {
    return this.vocabulary.detokenize(tokens, special);
  }

  stats(): NativeStats {
    const counts = { running: this.#running.size, submittedRequests: this.submitted.length, callbacks: this.callbacks };
    return { ...noStats, ...counts, steps: this.steps };
  }

  async close(drain: boolean): Promise<void> {
    this.closed.push(drain);
    this.#running.clear();
  }

  checkVocabulary(): void {}

  buildInfo(): Record<string, string> {
    return { backend: 'fake', 'gpu FAKE0': 'a device, 3 of 4 MiB free' };
  }

  tryLockFile(): boolean {
    return true; // Processes of one test follow each other; the real lock is tested in test/native.
  }

  /** Sends a batch up, as the engine does after a step. */
  emit(events: NativeEvent[]): void {
    this.callbacks++;
    this.#onEvents(events);
  }

  /** One step of every running request, and one call up. */
  step(): void {
    this.steps++;
    const events = [...this.#running].flatMap(([id, run]) => {
      const { value, done } = run.next();
      if (done) this.#running.delete(id);
      return value;
    });
    this.emit(events);
  }

  get openPrefixes(): number[] {
    return [...this.#prefixes.keys()];
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  #schedule(): void {
    if (this.#options.manual || this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.isIdle) return;
      this.step();
      this.#schedule();
    });
  }

  *#run(id: number, request: NativeRequest): Generator<NativeEvent[], NativeEvent[]> {
    const error = this.#options.errors?.[id - 1];
    if (error) {
      yield [];
      return [{ type: 'error', request: id, facts: {}, ...error }];
    }
    if (request.encode) {
      yield this.#vectors(id, request.encode);
      return [{ type: 'finish', request: id, usage: this.#usage(request, []), timings }];
    }
    const runs = Array.from({ length: request.candidates }, (_, candidate) => this.#begin(candidate, request, 0));
    for (let step = 0; runs.some((run) => isGoing(run, step)); step++)
      yield runs.filter((run) => isGoing(run, step)).flatMap((run) => this.#advance(id, request, run, step, runs));
    const finished = runs.filter(({ isRejected }) => !isRejected);
    yield finished.flatMap(({ candidate, script }) => this.#end(id, candidate, script));
    const asked = request.candidates > 0 ? finished.map(({ candidate }) => candidate) : [-1];
    for (const candidate of asked) yield this.#scores(id, request, candidate);
    if (request.pin) this.#prefixes.set(id, this.#promptTokens(request));
    const scripts = runs.map(({ script }) => script);
    return [{ type: 'finish', request: id, usage: this.#usage(request, scripts), timings }];
  }

  #begin(candidate: number, request: NativeRequest, begin: number): Run {
    return { candidate, begin, script: this.#script(candidate, request), isRejected: false };
  }

  #advance(id: number, request: NativeRequest, run: Run, step: number, runs: Run[]): NativeEvent[] {
    const tokens = step - run.begin + 1;
    const events = this.#tokens(id, run.candidate, run.script, tokens - 1);
    const { checks } = request;
    const isDue = checks && checks.every > 0 && tokens % checks.every === 0 && tokens >= checks.after;
    if (!isDue || tokens >= run.script.pieces.length) return events;
    return [...events, ...this.#check(id, request, run, step, runs)];
  }

  #check(id: number, request: NativeRequest, run: Run, step: number, runs: Run[]): NativeEvent[] {
    const { candidate } = run;
    const { checks, refills } = request.checks!;
    const tokens = step - run.begin + 1;
    const values = checks.map((_, check) => this.#options.checkValue?.({ candidate, tokens, check }) ?? 1);
    const failed = checks.findIndex(({ least, most }, check) => !(values[check] >= least && values[check] <= most));
    const checked = { request: id, candidate, tokens };
    const event: NativeEvent = { type: 'check', ...checked, values: Float64Array.from(values), failed };
    if (failed < 0) return [event];
    run.isRejected = true;
    run.script = { ...run.script, pieces: run.script.pieces.slice(0, tokens), reason: 'length' };
    if (runs.length < request.candidates + refills) runs.push(this.#begin(runs.length, request, step + 1));
    return [event, { type: 'candidate', ...checked, reason: 'rejected' }];
  }

  #script(candidate: number, request: NativeRequest): FullScript {
    const script = this.#options.answer?.(candidate, request) ?? defaultScript;
    if (script.pieces.length < request.maxTokens) return { reason: 'eos', ...script };
    return {
      pieces: script.pieces.slice(0, request.maxTokens),
      reason: script.stopString ? 'stop' : 'length',
      ...rest(script),
    };
  }

  #tokens(request: number, candidate: number, { pieces }: Script, place: number): NativeEvent[] {
    const text = pieces[place];
    return text === undefined ? [] : [this.#token(request, candidate, this.vocabulary.idOf(text), text)];
  }

  #token(request: number, candidate: number, token: number, text: string): NativeEvent {
    const { logprobs, topLogprobs } = this.submitted[request - 1];
    const { probes = [] } = this.submitted[request - 1];
    const read = probes.length > 0 && { probes: Object.fromEntries(probes.map(({ name, bias }) => [name, bias])) };
    const top = topLogprobs > 0 && { topLogprobs: [{ token, text, logprob: -0.5 }] };
    return { type: 'token', request, candidate, token, text, ...read, ...(logprobs && { logprob: -0.5, ...top }) };
  }

  #end(request: number, candidate: number, script: Script): NativeEvent[] {
    const reason = script.reason ?? 'eos';
    const endToken = reason === 'eos' ? [this.#token(request, candidate, this.info.eosToken, script.rest ?? '')] : [];
    const { stopString } = script;
    const tokens = script.pieces.length + endToken.length;
    return [...endToken, { type: 'candidate', request, candidate, reason, tokens, ...(stopString && { stopString }) }];
  }

  #scores(request: number, { prompt, questions }: NativeRequest, candidate: number): NativeEvent[] {
    return questions.map(({ suffix, labels, topLogprobs = 0 }, question) => ({
      type: 'score',
      request,
      candidate,
      question,
      labels: labels.map((label, index) => {
        const place = {
          prompt: this.detokenize(prompt, true),
          label: this.detokenize(label, true),
          index,
          question,
          suffix: this.detokenize(suffix, true),
          candidate,
        };
        const logprob = this.#options.logprob?.(place) ?? Math.log(0.5) * (index + 1);
        const tokenLogprobs = new Float64Array(label.length).fill(logprob / label.length);
        return { logprob, tokenLogprobs, isGreedy: index === 0, ...topOf(label, topLogprobs) };
      }),
    }));
  }

  #vectors(request: number, { texts }: NativeEncode): NativeEvent[] {
    return texts.map((tokens, text) => {
      const values = this.#options.vector?.(this.detokenize(tokens, true)) ?? [tokens.length, 0, 0];
      return { type: 'vector', request, text, values: Float32Array.from(values) };
    });
  }

  #promptTokens({ prompt, parent }: NativeRequest): number {
    return prompt.length + (parent === 0 ? 0 : this.#prefixes.get(parent)!);
  }

  // design.md section 10, for labels of one token.
  #usage(request: NativeRequest, scripts: Script[]): NativeUsage {
    const questionTokens =
      request.questions.reduce((sum, { suffix }) => sum + suffix.length, 0) * Math.max(1, scripts.length);
    const lastTokens = request.questions.length > 0 ? scripts.length : 0;
    const promptTokens = this.#promptTokens(request);
    return {
      promptTokens,
      cachedTokens: promptTokens - request.prompt.length,
      evaluatedPromptTokens: request.prompt.length + lastTokens + questionTokens,
      questionTokens,
      generatedTokens: scripts.reduce((sum, { pieces, reason }) => sum + pieces.length + (reason === 'eos' ? 1 : 0), 0),
      recomputedTokens: 0,
    };
  }
}

type FullScript = Required<Pick<Script, 'pieces' | 'reason'>> & Script;

/** A candidate; `begin`: the step of its first token. */
interface Run {
  candidate: number;
  begin: number;
  script: FullScript;
  isRejected: boolean;
}

function isGoing({ begin, script, isRejected }: Run, step: number): boolean {
  return !isRejected && step < begin + script.pieces.length;
}

/** At each place its own token, again and again, 0.1 less likely each time. */
function topOf(label: Int32Array, count: number): Pick<NativeLabelScore, 'topTokens' | 'topLogprobs'> {
  if (count === 0) return {};
  const places = [...label].flatMap((token) => Array.from({ length: count }, (_, rank) => ({ token, rank })));
  return {
    topTokens: Int32Array.from(places, ({ token }) => token),
    topLogprobs: Float64Array.from(places, ({ rank }) => -0.1 * (rank + 1)),
  };
}

function rest({ stopString, rest: held }: Script): Partial<Script> {
  return { ...(stopString && { stopString }), ...(held && { rest: held }) };
}

export function codedError(code: string, message = code): Error {
  return Object.assign(new Error(message), { code });
}

const noLatency = { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 };
const noStats: NativeStats = {
  running: 0,
  waiting: 0,
  usedCells: 0,
  pinnedCells: 0,
  cachedCells: 0,
  cachedSequences: 0,
  totalCells: 4096,
  usedSequences: 0,
  totalSequences: 256,
  steps: 0,
  evaluatedTokens: 0,
  generatedTokens: 0,
  prefixHitTokens: 0,
  prefixMissTokens: 0,
  submittedRequests: 0,
  callbacks: 0,
  preemptions: 0,
  heldSteps: 0,
  recomputedTokens: 0,
  batchSizes: new Array<number>(12).fill(0),
  firstTokenMs: noLatency,
  interTokenMs: noLatency,
  timeMs: { prefill: 0, generate: 0, score: 0, plan: 0 },
};

/** A scripted engine; without options every answer is 'Hello world!'. */
export function fakeNative(options: FakeOptions = {}): FakeNative {
  return new FakeNative(options);
}
