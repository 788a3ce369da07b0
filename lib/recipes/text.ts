import type { Message } from '../index.js';

/** What stands in one line of a prompt: line breaks and runs of spaces become one space. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

const speakers: Readonly<Record<string, string>> = { user: 'User', assistant: 'Assistant', system: 'System' };

/** A conversation as lines, `User: …`, for prompts that don't go through a chat template. */
export function asLines(messages: readonly Message[]): string {
  return messages.map(({ role, content }) => `${speakers[role] ?? role}: ${oneLine(content)}`).join('\n');
}

/** Without its last message, and that message's text. The caller has checked that there is one. */
export function splitLast(messages: readonly Message[]): { before: Message[]; last: Message } {
  return { before: messages.slice(0, -1), last: messages[messages.length - 1] };
}
