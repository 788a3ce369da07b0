import { OptionError, type Message } from '../index.js';
import { readUserFile } from './command.js';

const system: Message = {
  role: 'system',
  content:
    'You are Pip, a cheerful companion who has read a great deal about nature. ' +
    'You answer in one or two short sentences and like to add a detail that few people know.',
};

/** What `winnow turn` talks about unless it is told otherwise. */
export const defaultDialogue: readonly Message[] = [
  system,
  { role: 'user', content: 'Hi Pip! We are spending the weekend in a cabin by a lake.' },
  {
    role: 'assistant',
    content: 'How lovely! Go out at dusk: that is when the bats come down to drink without stopping.',
  },
  { role: 'user', content: 'We will. My daughter is five and a little afraid of the dark, though.' },
  {
    role: 'assistant',
    content: 'Then let her carry the lantern. Five minutes without it, and her eyes will see far more than she thinks.',
  },
  { role: 'user', content: 'What could we look for together at night that she would not find scary?' },
];

export interface DialogueOptions {
  message?: string;
  dialogue?: string;
}

/** The messages of --dialogue (a JSON file) followed by --message; a message alone starts a new conversation. */
export async function chooseDialogue({ message, dialogue }: DialogueOptions): Promise<Message[]> {
  const words: Message[] = message === undefined ? [] : [{ role: 'user', content: message }];
  if (dialogue !== undefined) return [...(await readDialogue(dialogue)), ...words];
  return words.length ? [system, ...words] : [...defaultDialogue];
}

async function readDialogue(file: string): Promise<Message[]> {
  try {
    return JSON.parse(await readUserFile(file)) as Message[]; // loadModel's own checks say what is wrong inside.
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const expected = '[{"role": "user", "content": "…"}, …]';
    throw new OptionError(
      'ERR_OPTION_VALUE',
      `${file} is not JSON: ${error.message}. Expected ${expected}`,
      'dialogue',
      file,
    );
  }
}
