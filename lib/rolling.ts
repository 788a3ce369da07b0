import type { Context, Session } from './context.js';
import { ContextOverflowError, WinnowError } from './errors.js';
import type { NativeLabelScore, NativeTopLogprob } from './native.js';
import type { ResolvedRollingOptions } from './options.js';
import { RequestStream } from './request-stream.js';
import { foldScores, questionRequest } from './requests.js';

// Log-likelihood of a text itself, window by window, so that its length has no limit.

/** How likely the model finds a text. */
export interface Perplexity {
  /** Natural log: Σ over all tokens. */
  logprob: number;
  /** How many were scored. */
  tokens: number;
  /** exp(−logprob ÷ tokens). */
  perplexity: number;
  /** −log₂ P ÷ the text's bytes as UTF-8; comparable between tokenizers. null where token ids were given. */
  bitsPerByte: number | null;
}

/** A token of a prompt, with what the model expected in its place. */
export interface PromptToken {
  token: number;
  /** '\uFFFD' for bytes that are a character only together with their neighbours. */
  text: string;
  /** null = nothing precedes it. */
  logprob: number | null;
  /** The likeliest first; with `topLogprobs`. */
  topLogprobs?: NativeTopLogprob[];
}

/** Tokens [begin, end) are scored behind [from, begin). */
export interface Window {
  from: number;
  begin: number;
  end: number;
}

/**
 * Every token from the second on is scored once. The first window scores all it holds; each later one `stride` tokens
 * behind as many as fit with them: of `window` evaluated tokens, the last that is scored is none. Stride = window is
 * lm-evaluation-harness's rolling log-likelihood (`get_rolling_token_windows`, context_len 1).
 */
export function* rollingWindows(count: number, window: number, stride: number): Generator<Window> {
  for (let begin = 1; begin < count;) {
    const end = Math.min(count, begin + (begin === 1 ? window : stride));
    yield { from: Math.max(0, end - 1 - window), begin, end };
    begin = end;
  }
}

/** Scores of the tokens from the second on, window by window. Throws ContextOverflowError for a window that is too long. */
async function* scoreWindows(
  session: Session,
  tokens: Int32Array,
  { window, stride, signal, schedule }: ResolvedRollingOptions,
  topLogprobs: number,
): AsyncGenerator<NativeLabelScore> {
  const { contextSize } = session.engine.info;
  if (window > contextSize) throw new ContextOverflowError(window, contextSize);
  for (const { from, begin, end } of rollingWindows(tokens.length, window, stride)) {
    const context: Context = { tokens: tokens.slice(from, begin), isAnswering: false };
    const question = { suffix: new Int32Array(0), labels: [tokens.slice(begin, end)], topLogprobs };
    const prepare = async () => ({
      request: questionRequest(session, context, undefined, [question], schedule),
      fold: foldScores(([{ labels }]) => labels[0]),
    });
    yield await new RequestStream(session.engine, prepare, signal).result();
  }
}

/** The text behind the token that begins a text, or ends the one before where the model has no such token. */
export async function perplexity(
  session: Session,
  text: string | Int32Array,
  options: ResolvedRollingOptions,
): Promise<Perplexity> {
  const own = typeof text === 'string' ? session.engine.tokenize(text, false, false) : text;
  const tokens = typeof text === 'string' ? behindFirst(session, own) : own;
  if (tokens.length < 2)
    throw new WinnowError('ERR_PROMPT_EMPTY', 'A perplexity needs a token that another one precedes.');
  let logprob = 0;
  for await (const score of scoreWindows(session, tokens, options, 0)) logprob += score.logprob;
  const bits = -logprob / Math.LN2;
  const scored = tokens.length - 1;
  return {
    logprob,
    tokens: scored,
    perplexity: Math.exp(-logprob / scored),
    bitsPerByte: typeof text === 'string' ? bits / Buffer.byteLength(text) : null,
  };
}

function behindFirst(session: Session, tokens: Int32Array): Int32Array {
  const { bosToken, eosToken } = session.engine.info;
  const first = bosToken >= 0 ? bosToken : eosToken;
  return first < 0 ? tokens : Int32Array.of(first, ...tokens);
}

/** Every token of the context, with the log-probability that it had behind the ones before it. */
export async function promptLogprobs(
  session: Session,
  { tokens }: Context,
  options: ResolvedRollingOptions,
  topLogprobs: number,
): Promise<PromptToken[]> {
  const textOf = tokenTexts(session);
  const prompt: PromptToken[] = [{ token: tokens[0], text: textOf(tokens[0]), logprob: null }];
  for await (const score of scoreWindows(session, tokens, options, topLogprobs))
    for (const [index, logprob] of score.tokenLogprobs.entries()) {
      const token = tokens[prompt.length];
      const top = topLogprobs > 0 && { topLogprobs: topOf(score, index, textOf) };
      prompt.push({ token, text: textOf(token), logprob, ...top });
    }
  return prompt;
}

type TextOf = (token: number) => string;

function tokenTexts({ engine }: Session): TextOf {
  const texts = new Map<number, string>();
  return (token) => {
    const text = texts.get(token) ?? engine.detokenize(Int32Array.of(token), true);
    texts.set(token, text);
    return text;
  };
}

function topOf({ tokenLogprobs, topTokens, topLogprobs }: NativeLabelScore, index: number, textOf: TextOf) {
  const count = topTokens!.length / tokenLogprobs.length;
  const [begin, end] = [index * count, (index + 1) * count];
  return Array.from(topTokens!.subarray(begin, end), (token, place) => ({
    token,
    text: textOf(token),
    logprob: topLogprobs![begin + place],
  }));
}
