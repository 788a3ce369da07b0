import type { Context, Session } from '../context.js';
import { renderConversation } from '../context.js';
import { TemplateError } from '../errors.js';
import type { Message } from '../options.js';

/** What stands around a question's wording, and before each of its labels. */
export interface Frame {
  before: string;
  after: string;
  beforeLabel: string;
}

/** Of questions that bring all their words. */
export const noFrame: Frame = { before: '', after: '', beforeLabel: '' };

// Without a chat template the question is part of the running text.
const plainFrame: Frame = { before: '\n\nQuestion: ', after: '\nAnswer:', beforeLabel: ' ' };

/**
 * A question behind the context (`behindAnswer`: behind an answer that follows the context) as the next turn of its
 * conversation: the template is filled once, with marks in the place of the answer and of the wording, and cut there.
 * Throws TemplateError.
 */
export async function questionFrame(session: Session, context: Context, behindAnswer: boolean): Promise<Frame> {
  const { messages } = context;
  if (!messages) return plainFrame;
  const answer = unusedMark('answer', messages);
  const wording = unusedMark('question', messages);
  const isAnswering = behindAnswer || context.isAnswering;
  const answerTurn: Message[] = isAnswering ? [{ role: 'assistant', content: answer }] : [];
  const text = await renderConversation(
    session,
    [...messages, ...answerTurn, { role: 'user', content: wording }],
    true,
  );
  const begin = isAnswering ? endOf(text, answer) : beginBehind(text, context.text);
  const end = text.indexOf(wording, begin);
  if (end < 0) throw unusable();
  return { before: text.slice(begin, end), after: text.slice(end + wording.length), beforeLabel: '' };
}

function endOf(text: string, mark: string): number {
  const begin = text.lastIndexOf(mark);
  if (begin < 0) throw unusable();
  return begin + mark.length;
}

function beginBehind(text: string, contextText: string | undefined): number {
  if (contextText === undefined || !text.startsWith(contextText)) throw unusable();
  return contextText.length;
}

// Plain letters: templates trim, escape or split other things.
function unusedMark(name: string, messages: readonly Message[]): string {
  let mark = `winnow${name}mark`;
  while (messages.some(({ content }) => content.includes(mark))) mark += 'x';
  return mark;
}

function unusable(): TemplateError {
  return new TemplateError(
    'ERR_TEMPLATE_NOT_EXTENDED',
    "The model's chat template can't carry a question behind this conversation. Ask it as raw text: a question of type 'labels'.",
  );
}
