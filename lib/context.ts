import type { ChatTemplate } from './chat-template.js';
import type { Engine } from './engine.js';
import { ContextOverflowError, OptionError, TemplateError, WinnowError } from './errors.js';
import type { Message, ResolvedInput } from './options.js';
import { concatTokens } from './text.js';

/** What a request follows: its tokens, and what is known about where they come from. */
export interface Context {
  tokens: Int32Array;
  /** The text that the tokens were made of; unknown once token ids were given. */
  text?: string;
  /** The conversation in it, where it came through the chat template. */
  messages?: readonly Message[];
  /** Whether it ends inside an answer of the assistant: generated text goes on there. */
  isAnswering: boolean;
}

/** What a model and its prefixes share. */
export interface Session {
  readonly engine: Engine;
  readonly template: ChatTemplate;
}

const nothing: Context = { tokens: new Int32Array(0), text: '', isAnswering: false };

/**
 * The context of `input`, behind `base` if there is one. `forAnswer`: an answer follows, so that a conversation ends
 * where the assistant begins to speak. Throws ERR_PROMPT_EMPTY, TemplateError and OptionError.
 */
export async function buildContext(
  session: Session,
  input: ResolvedInput,
  base: Context | undefined,
  forAnswer: boolean,
): Promise<Context> {
  const context = await extend(session, input, base, forAnswer);
  if (context.tokens.length > 0) return context;
  throw new WinnowError('ERR_PROMPT_EMPTY', 'The prompt is empty, and this model adds no token of its own to it.');
}

async function extend(
  session: Session,
  input: ResolvedInput,
  base: Context | undefined,
  forAnswer: boolean,
): Promise<Context> {
  if (input.kind === 'messages')
    return appendMessages(session, input.messages, input.addGenerationPrompt, base, forAnswer);
  if (input.kind === 'text') return appendText(session, input.text, base);
  if (input.kind === 'tokens') return appendTokens(input.tokens, base ?? nothing);
  const opensAnswer = forAnswer && base?.messages && !base.isAnswering;
  return opensAnswer ? appendMessages(session, [], true, base, forAnswer) : (base ?? nothing);
}

function appendText(session: Session, text: string, base: Context | undefined): Context {
  const tokens = session.engine.tokenize(text, base === undefined, true);
  if (!base) return { tokens, text, isAnswering: false };
  const whole = base.text === undefined ? undefined : base.text + text;
  return { ...keptConversation(base), tokens: concatTokens(base.tokens, tokens), text: whole };
}

function appendTokens(tokens: Int32Array, base: Context): Context {
  return { ...keptConversation(base), tokens: concatTokens(base.tokens, tokens) };
}

// The beginning of an answer may be put into the assistant's mouth; text behind a closed message leaves the template.
function keptConversation(base: Context): Pick<Context, 'messages' | 'isAnswering'> {
  return base.isAnswering ? { messages: base.messages, isAnswering: true } : { isAnswering: false };
}

async function appendMessages(
  session: Session,
  more: readonly Message[],
  addGenerationPrompt: boolean | undefined,
  base: Context | undefined,
  forAnswer: boolean,
): Promise<Context> {
  const messages = [...conversationOf(base), ...more];
  const isAnswering = forAnswer || (addGenerationPrompt ?? waitsForAnswer(messages));
  const text = await renderConversation(session, messages, isAnswering);
  const rest = base ? textBehind(base, text) : text;
  const tokens = session.engine.tokenize(rest, base === undefined, true);
  return { tokens: base ? concatTokens(base.tokens, tokens) : tokens, text, messages, isAnswering };
}

function conversationOf(base: Context | undefined): readonly Message[] {
  if (!base || base.messages) return base?.messages ?? [];
  throw new OptionError(
    'ERR_OPTION_VALUE',
    'messages can only follow a prefix that was made of messages',
    'messages',
    undefined,
  );
}

function waitsForAnswer(messages: readonly Message[]): boolean {
  const role = messages.at(-1)?.role;
  return role === 'user' || role === 'tool';
}

function textBehind(base: Context, text: string): string {
  if (base.text !== undefined && text.startsWith(base.text)) return text.slice(base.text.length);
  const advice = base.isAnswering
    ? ' The prefix ends where the assistant begins to speak: the next message must be the assistant’s.'
    : '';
  throw new TemplateError(
    'ERR_TEMPLATE_NOT_EXTENDED',
    `With these messages appended, the conversation's text no longer begins with the prefix's.${advice}`,
  );
}

/** The conversation as it is tokenised: without a beginning-of-text token that the tokenizer adds itself. */
export async function renderConversation(
  session: Session,
  messages: readonly Message[],
  isAnswering: boolean,
): Promise<string> {
  const text = await session.template.render(messages, isAnswering);
  const { addsBos, bosText } = session.engine.info;
  return addsBos && bosText !== '' && text.startsWith(bosText) ? text.slice(bosText.length) : text;
}

/**
 * The room for an answer in tokens. `behind`: tokens that are asked behind the answer. Throws ContextOverflowError
 * where there is less room than `atLeast`.
 */
export function roomInContext(session: Session, promptTokens: number, behind: number, atLeast: number): number {
  const { contextSize } = session.engine.info;
  const room = contextSize - promptTokens - behind;
  if (room < atLeast) throw new ContextOverflowError(promptTokens + behind, contextSize);
  return room;
}
