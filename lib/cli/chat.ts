// winnow chat: a conversation, streamed. Ctrl-C stops the answer; at the prompt it ends the program.
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { Message, Model } from '../index.js';
import { runCommand, readUserFile } from './command.js';
import { loadWithProgress } from './load.js';
import { addDrawingOptions, addEngineOptions } from './options.js';
import type { DrawingCommandOptions, EngineCommandOptions } from './options.js';
import { painter } from './terminal.js';

interface ChatCommandOptions extends EngineCommandOptions, DrawingCommandOptions {
  system?: string;
}

const commands = `/help            this list
/clear           forget the conversation
/system <text>   begin again with these instructions
/undo            take back the last message and its answer
/retry           answer the last message again
/history         show the conversation
/save <file>     write the conversation as JSON, for winnow turn --dialogue
/load <file>     go on with a conversation
/exit            leave (so does Ctrl-D)`;

export const chatCommand = new Command('chat')
  .description('talk with a model; /help lists the commands, Ctrl-C stops an answer')
  .option('-s, --system <text>', 'instructions before the conversation')
  .addHelpText('after', `\nIn the conversation:\n${commands}\n\nExample:\n  winnow chat --system "You are brief."`)
  .action((options: ChatCommandOptions) => runCommand((signal) => chat(options, signal), { keepsInterrupts: true }));
addDrawingOptions(chatCommand, { maxTokens: 512, topK: 40 });
addEngineOptions(chatCommand);

async function chat(options: ChatCommandOptions, signal: AbortSignal): Promise<void> {
  const model = await loadWithProgress(options.model, { threads: options.threads, signal });
  try {
    await new Conversation(model, options).run();
  } finally {
    await model.close();
  }
}

class Conversation {
  readonly #model: Model;
  readonly #options: ChatCommandOptions;
  readonly #paint = painter(process.stdout);
  readonly #isTerminal = Boolean(process.stdin.isTTY && process.stdout.isTTY);
  #messages: Message[];
  #running: AbortController | undefined;

  constructor(model: Model, options: ChatCommandOptions) {
    this.#model = model;
    this.#options = options;
    this.#messages = opening(options.system);
  }

  async run(): Promise<void> {
    const lines = createInterface({ input: process.stdin, output: this.#isTerminal ? process.stdout : undefined });
    const interrupt = () => this.#interrupt(lines);
    lines.on('SIGINT', interrupt); // In a terminal the line editor gets Ctrl-C,
    process.on('SIGINT', interrupt); // elsewhere the process gets the signal.
    if (this.#isTerminal) console.error(this.#paint('dim', `${this.#model.info.name}. /help lists the commands.`));
    try {
      this.#prompt(lines);
      for await (const line of lines) {
        if (!(await this.#take(line.trim()))) return;
        this.#prompt(lines);
      }
    } finally {
      process.off('SIGINT', interrupt);
      lines.close();
    }
  }

  #prompt(lines: Interface): void {
    if (!this.#isTerminal) return;
    lines.setPrompt(this.#paint('bold', '> '));
    lines.prompt();
  }

  #interrupt(lines: Interface): void {
    if (this.#running) this.#running.abort(new Stopped());
    else lines.close();
  }

  /** Returns false where the conversation ends. */
  async #take(line: string): Promise<boolean> {
    if (line === '/exit' || line === '/quit') return false;
    try {
      if (line.startsWith('/')) await this.#command(line);
      else if (line !== '') await this.#answer({ role: 'user', content: line });
    } catch (error) {
      console.error(`winnow: ${(error as Error).message}`); // The conversation goes on.
    }
    return true;
  }

  async #command(line: string): Promise<void> {
    const [, name, rest] = /^\/(\S*)\s*(.*)$/.exec(line)!;
    if (name === 'clear') this.#messages = this.#messages.filter(({ role }) => role === 'system');
    else if (name === 'system') this.#messages = opening(rest);
    else if (name === 'undo') this.#undo();
    else if (name === 'retry') await this.#retry();
    else if (name === 'history') this.#show();
    else if (name === 'save') await writeFile(rest, `${JSON.stringify(this.#messages, null, 2)}\n`);
    else if (name === 'load') this.#messages = JSON.parse(await readUserFile(rest)) as Message[];
    else if (name === 'help') console.log(commands);
    else console.error(`There is no command /${name}.\n${commands}`);
  }

  /** Returns the message that was taken back. */
  #undo(): Message | undefined {
    const last = this.#messages.findLastIndex(({ role }) => role === 'user');
    return last === -1 ? undefined : this.#messages.splice(last)[0];
  }

  async #retry(): Promise<void> {
    const question = this.#undo();
    if (question) await this.#answer(question);
  }

  #show(): void {
    for (const { role, content } of this.#messages) console.log(`${this.#paint('bold', role)}: ${content}`);
  }

  /** An answer that was stopped stays as far as it came; one that failed leaves no trace. */
  async #answer(question: Message): Promise<void> {
    const { maxTokens, temperature, topK, seed } = this.#options;
    const messages = [...this.#messages, question];
    this.#running = new AbortController();
    const { signal } = this.#running;
    let content = '';
    try {
      for await (const event of this.#model.generate({ messages, maxTokens, temperature, topK, seed, signal })) {
        if (event.type !== 'token') continue;
        content += event.text;
        if (!this.#options.json) process.stdout.write(event.text);
      }
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    } finally {
      this.#running = undefined;
    }
    console.log(this.#options.json ? JSON.stringify({ role: 'assistant', content }) : '');
    this.#messages = [...messages, { role: 'assistant', content }];
  }
}

class Stopped extends Error {}

const opening = (system: string | undefined): Message[] => (system ? [{ role: 'system', content: system }] : []);
