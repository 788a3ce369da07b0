import { inheritAdapters } from './adapters.js';
import { assertCanGenerate, isEncoderDecoder } from './capabilities.js';
import type { Context, Session } from './context.js';
import { roomInContext } from './context.js';
import { CapabilityError, ContextOverflowError } from './errors.js';
import type {
  NativeAdapter,
  NativeChecks,
  NativeEncode,
  NativeQuestion,
  NativeRequest,
  NativeSavedPrefix,
  NativeScore,
} from './native.js';
import type { NativeSampling, NativeSchedule } from './options.js';
import { checkProbes, resolveSampling } from './options.js';
import type { Fold } from './request-stream.js';

/** A pinned prefix that a request runs on. */
export interface Parent {
  id: number;
  context: Context;
  /** What it was made with, and what runs on it has. */
  adapters: readonly NativeAdapter[];
}

const noSampling: NativeSampling = { ...resolveSampling({ maxTokens: 1, seed: 0 }, 1) };

/**
 * `candidates` answers behind the context; every question is asked behind each of them, every check while it is
 * generated. Throws ContextOverflowError.
 */
export function answerRequest(
  session: Session,
  context: Context,
  parent: Parent | undefined,
  sampling: NativeSampling & NativeSchedule,
  candidates: number,
  questions: NativeQuestion[] = [],
  checks?: NativeChecks,
): NativeRequest {
  checkProbes(sampling.probes ?? [], session.engine.info);
  const asked = [...questions, ...(checks?.checks ?? [])];
  const room = roomInContext(session, lengthBefore(session, context), longestQuestion(asked), 1);
  return {
    ...sampling,
    ...place(context, parent, sampling),
    maxTokens: Math.min(sampling.maxTokens, room),
    minTokens: Math.min(sampling.minTokens, room),
    pin: false,
    candidates,
    questions,
    ...(checks && { checks }),
  };
}

/** Questions behind the context itself. Throws ContextOverflowError. */
export function questionRequest(
  session: Session,
  context: Context,
  parent: Parent | undefined,
  questions: NativeQuestion[],
  schedule: NativeSchedule,
): NativeRequest {
  assertCanGenerate(session.engine.info);
  roomInContext(session, lengthBefore(session, context), longestQuestion(questions), 0);
  return { ...noSampling, ...schedule, ...place(context, parent, schedule), pin: false, candidates: 0, questions };
}

/** `read` gets one score per question, in order. */
export function foldScores<Result>(read: (scores: NativeScore[]) => Result): Fold<never, Result> {
  const scores: NativeScore[] = [];
  return (event) => {
    if (event.type === 'score') scores[event.question] = event;
    return event.type === 'finish' ? read(scores) : undefined;
  };
}

/** Keeps the context in the cache. Throws ContextOverflowError. */
export function pinRequest(
  session: Session,
  context: Context,
  parent: Parent | undefined,
  schedule: NativeSchedule,
): NativeRequest {
  roomInContext(session, context.tokens.length, 0, 0);
  return { ...noSampling, ...schedule, ...place(context, parent, schedule), pin: true, candidates: 0, questions: [] };
}

// Behind how many tokens an answer begins: an encoder–decoder model's decoder has one of its own, whatever was encoded.
function lengthBefore({ engine }: Session, { tokens }: Context): number {
  if (!isEncoderDecoder(engine.info)) return tokens.length;
  if (tokens.length > engine.info.maxStepTokens)
    throw new ContextOverflowError(tokens.length, engine.info.maxStepTokens);
  return 1;
}

/** Whole texts into vectors. Throws CapabilityError where adapters are asked for. */
export function encodeRequest({ engine }: Session, encode: NativeEncode, schedule: NativeSchedule): NativeRequest {
  const { architecture } = engine.info;
  if (schedule.adapters?.length)
    throw new CapabilityError('encode texts with adapters', architecture, 'encoders have none.');
  const nothing = { prompt: new Int32Array(0), parent: 0, pin: false, candidates: 0, questions: [] };
  return { ...noSampling, ...schedule, ...nothing, encode };
}

/** The same without evaluating it. Throws ContextOverflowError. */
export function restoreRequest(
  session: Session,
  context: Context,
  saved: NativeSavedPrefix,
  schedule: NativeSchedule,
): NativeRequest {
  return { ...pinRequest(session, context, undefined, schedule), saved };
}

/** What a request is computed with: the adapters of its prefix, or its own. Throws AdapterError. */
export function adaptersOf(
  parent: Parent | undefined,
  { adapters }: Pick<NativeRequest, 'adapters'>,
): readonly NativeAdapter[] {
  return parent ? inheritAdapters(parent.adapters, adapters) : (adapters ?? []);
}

function place(
  context: Context,
  parent: Parent | undefined,
  asked: Pick<NativeRequest, 'adapters'>,
): Pick<NativeRequest, 'prompt' | 'parent' | 'adapters'> {
  if (!parent) return { prompt: context.tokens, parent: 0 };
  const adapters = adaptersOf(parent, asked);
  return {
    prompt: context.tokens.subarray(parent.context.tokens.length),
    parent: parent.id,
    ...(adapters.length > 0 && { adapters: [...adapters] }),
  };
}

// The last token of a label is read, not evaluated.
function longestQuestion(questions: readonly NativeQuestion[]): number {
  return Math.max(
    0,
    ...questions.map(({ suffix, labels }) => suffix.length + Math.max(...labels.map((label) => label.length)) - 1),
  );
}
