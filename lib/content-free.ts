import type { Context, Session } from './context.js';
import { renderConversation } from './context.js';
import type { Engine } from './engine.js';
import type { NativeAdapter, NativeQuestion } from './native.js';
import { defaultSchedule } from './options.js';
import type { Priors } from './questions/compile.js';
import { compileQuestions, needsFrame } from './questions/compile.js';
import { noFrame, questionFrame } from './questions/frame.js';
import type { Question } from './questions/question.js';
import { RequestStream } from './request-stream.js';
import { foldScores, questionRequest } from './requests.js';

// What a model thinks of labels when there is nothing to read: questions asked behind a text without content.

const defaultText = 'N/A';
const mostKept = 1024;

/** Priors by engine and by the tokens that were asked; the oldest go first. */
const kept = new WeakMap<Engine, Map<string, Promise<number[]>>>();

/**
 * Of the questions that want one; each is asked once per engine and adapters. `behindAnswer`: behind an answer that
 * follows the context.
 */
export async function contentFreePriors(
  session: Session,
  context: Context,
  questions: readonly [string, Question][],
  behindAnswer: boolean,
  adapters: readonly NativeAdapter[],
): Promise<Priors> {
  return Promise.all(
    questions.map(async ([name, question]) =>
      question.normalization === 'prior'
        ? priorOf(session, context, name, question, behindAnswer, adapters)
        : undefined,
    ),
  );
}

async function priorOf(
  session: Session,
  context: Context,
  name: string,
  question: Question,
  behindAnswer: boolean,
  adapters: readonly NativeAdapter[],
): Promise<number[]> {
  const empty = await withoutContent(session, context, question.contentFree ?? defaultText, behindAnswer);
  const named: [string, Question][] = [[name, question]];
  const frame = needsFrame(named) ? await questionFrame(session, empty, behindAnswer) : noFrame;
  const [asked] = compileQuestions(session, named, frame).native;
  return keep(session.engine, keyOf(empty, asked, adapters), () => askOnce(session, empty, asked, adapters));
}

/** The context with `text` in place of the text, or of every message but the system's. */
async function withoutContent(
  session: Session,
  { messages, isAnswering }: Context,
  text: string,
  behindAnswer: boolean,
): Promise<Context> {
  if (!messages) return { tokens: session.engine.tokenize(text, true, true), text, isAnswering: false };
  const replaced = messages.map(({ role, content }) => ({ role, content: role === 'system' ? content : text }));
  const rendered = await renderConversation(session, replaced, isAnswering || behindAnswer);
  const whole = behindAnswer ? rendered + text : rendered;
  return { tokens: session.engine.tokenize(whole, true, true), text: whole, messages: replaced, isAnswering };
}

function keyOf({ tokens }: Context, { suffix, labels }: NativeQuestion, adapters: readonly NativeAdapter[]): string {
  const asked = [tokens, suffix, ...labels].map((part) => part.join()).join(';');
  return adapters.length === 0 ? asked : asked + JSON.stringify(adapters);
}

async function askOnce(
  session: Session,
  context: Context,
  question: NativeQuestion,
  adapters: readonly NativeAdapter[],
): Promise<number[]> {
  const schedule = adapters.length > 0 ? { ...defaultSchedule, adapters: [...adapters] } : defaultSchedule;
  const prepare = async () => ({
    request: questionRequest(session, context, undefined, [question], schedule),
    fold: foldScores(([{ labels }]) => labels.map(({ logprob }) => logprob)),
  });
  return new RequestStream(session.engine, prepare).result();
}

// Nobody's signal stops it, since others may wait for it; what failed is asked again.
function keep(engine: Engine, key: string, ask: () => Promise<number[]>): Promise<number[]> {
  const priors = kept.get(engine) ?? new Map<string, Promise<number[]>>();
  kept.set(engine, priors);
  const known = priors.get(key);
  if (known) return known;
  const asked = ask();
  asked.catch(() => priors.delete(key));
  priors.set(key, asked);
  if (priors.size > mostKept) priors.delete(priors.keys().next().value!);
  return asked;
}
