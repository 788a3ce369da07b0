import { isEncoderDecoder } from './capabilities.js';
import type { Context, Session } from './context.js';
import { contentFreePriors } from './content-free.js';
import { buildContext } from './context.js';
import { WinnowError } from './errors.js';
import type { NativeAdapter, NativeScore } from './native.js';
import type { ResolvedInput, ResolvedRequestOptions } from './options.js';
import type { CompiledQuestions } from './questions/compile.js';
import { compileQuestions, needsFrame } from './questions/compile.js';
import { noFrame, questionFrame } from './questions/frame.js';
import type { Answer, Question } from './questions/question.js';
import { RequestStream } from './request-stream.js';
import type { Parent } from './requests.js';
import { adaptersOf, foldScores, questionRequest } from './requests.js';
import { commonLength, startsWith } from './text.js';

// Requests that score and draw nothing.

const noTokens = new Int32Array(0);

/** Log-likelihood of one continuation. */
export interface Likelihood {
  /** Natural log: Σ tokenLogprobs. */
  logprob: number;
  /** How many tokens it has. */
  tokens: number;
  tokenLogprobs: number[];
  /** Every token is the likeliest one at its place. */
  isGreedy: boolean;
}

/** Questions as tokens behind the context, or behind an answer that follows it; `adapters`: what priors are asked with. */
export async function compileBehind(
  session: Session,
  context: Context,
  questions: readonly [string, Question][],
  behindAnswer: boolean,
  adapters: readonly NativeAdapter[],
): Promise<CompiledQuestions> {
  const frame = needsFrame(questions) ? await questionFrame(session, context, behindAnswer) : noFrame;
  const priors = await contentFreePriors(session, context, questions, behindAnswer, adapters);
  return compileQuestions(session, questions, frame, priors);
}

/** All questions in one request on `parent`, or on `input` alone. */
export async function classify(
  session: Session,
  input: ResolvedInput,
  parent: Parent | undefined,
  questions: readonly [string, Question][],
  { signal, schedule }: ResolvedRequestOptions,
): Promise<Record<string, Answer>> {
  const prepare = async () => {
    const context = await buildContext(session, input, parent?.context, false);
    const compiled = await compileBehind(session, context, questions, false, adaptersOf(parent, schedule));
    return {
      request: questionRequest(session, context, parent, compiled.native, schedule),
      fold: foldScores((scores) => compiled.read(scores)),
    };
  };
  return new RequestStream(session.engine, prepare, signal).result();
}

/** Continuations whose tokens follow the same prompt: one request. */
interface Group {
  prompt: Int32Array;
  labels: Int32Array[];
  indexes: number[]; // Of the continuations.
}

/**
 * One request for all continuations whose joint tokenisation keeps the context's tokens; one more for each other
 * beginning that a continuation needs.
 */
export async function logLikelihood(
  session: Session,
  input: ResolvedInput,
  parent: Parent | undefined,
  continuations: readonly string[],
  { signal, schedule }: ResolvedRequestOptions,
): Promise<Likelihood[]> {
  signal?.throwIfAborted();
  session.engine.assertOpen();
  const context = await buildContext(session, input, parent?.context, false);
  const groups = groupByPrompt(session, context, continuations);
  const scores = await runGroups(session, context, parent, groups, { signal, schedule });
  const results = new Array<Likelihood>(continuations.length);
  groups.forEach(({ indexes }, group) => {
    indexes.forEach((index, label) => (results[index] = toLikelihood(scores[group], label)));
  });
  return results;
}

async function runGroups(
  session: Session,
  context: Context,
  parent: Parent | undefined,
  groups: readonly Group[],
  { signal, schedule }: ResolvedRequestOptions,
): Promise<NativeScore[]> {
  const adapters = adaptersOf(parent, schedule);
  const own = adapters.length > 0 ? { ...schedule, adapters: [...adapters] } : schedule;
  const streams = groups.map(({ prompt, labels }) => {
    const behind = { ...context, tokens: prompt };
    const on = prompt === context.tokens ? parent : undefined;
    const prepare = async () => ({
      request: questionRequest(session, behind, on, [{ suffix: noTokens, labels }], own),
      fold: foldScores(([score]) => score),
    });
    return new RequestStream(session.engine, prepare, signal);
  });
  try {
    return await Promise.all(streams.map((stream) => stream.result()));
  } finally {
    for (const stream of streams) stream.cancel();
  }
}

function toLikelihood({ labels }: NativeScore, label: number): Likelihood {
  const { logprob, tokenLogprobs, isGreedy } = labels[label];
  return { logprob, tokens: tokenLogprobs.length, tokenLogprobs: [...tokenLogprobs], isGreedy };
}

function groupByPrompt(session: Session, context: Context, continuations: readonly string[]): Group[] {
  const split = boundaryRule(session, context);
  const groups = new Map<string, Group>();
  continuations.forEach((continuation, index) => {
    const { prompt, label } = split(continuation);
    const key = prompt === context.tokens ? '' : prompt.join();
    const group = groups.get(key) ?? { prompt, labels: [], indexes: [] };
    groups.set(key, group);
    group.labels.push(label);
    group.indexes.push(index);
  });
  return [...groups.values()];
}

type Split = (continuation: string) => { prompt: Int32Array; label: Int32Array };

const rules = new WeakMap<Context, Split>();

/** Found once per context: a pinned prefix is asked about again and again. */
function boundaryRule(session: Session, context: Context): Split {
  const known = rules.get(context);
  if (known) return known;
  const rule = findBoundaryRule(session, context);
  rules.set(context, rule);
  return rule;
}

/**
 * Where the context ends and a continuation begins. Context and continuation are tokenised as one text, the spaces at
 * the context's end belonging to the continuation; a context of given tokens keeps them, and the continuation is
 * tokenised alone.
 */
function findBoundaryRule(session: Session, context: Context): Split {
  const tokenize = (text: string) => session.engine.tokenize(text, true, true);
  const { text, tokens } = context;
  if (isEncoderDecoder(session.engine.info))
    return (continuation) => ({ prompt: tokens, label: session.engine.tokenize(continuation, false, true) });
  if (text === undefined || !isSame(tokenize(text), tokens))
    return (continuation) => ({ prompt: tokens, label: session.engine.tokenize(continuation, false, true) });
  const trimmed = text.replace(/ +$/, '');
  const start = trimmed === text ? tokens : tokenize(trimmed);
  return (continuation) => splitJoint(tokenize(text + continuation), start);
}

function splitJoint(joint: Int32Array, start: Int32Array): { prompt: Int32Array; label: Int32Array } {
  const length = Math.min(start.length, joint.length - 1);
  if (length === 0) throw new WinnowError('ERR_PROMPT_EMPTY', 'Nothing precedes the continuation: give it a context.');
  const isKept = length === start.length && startsWith(joint, start);
  return { prompt: isKept ? start : joint.subarray(0, length), label: joint.subarray(length) };
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && commonLength(a, b) === a.length;
}
