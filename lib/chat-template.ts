import type { Piscina } from 'piscina';
import type { ErrorCode } from './errors.js';
import { TemplateError } from './errors.js';
import type { Message } from './options.js';
import type { RenderOutcome, RenderTask } from './workers/chat-template.js';

const renderLimitMs = 1000; // Of one rendering in a warm worker: it takes a few, but may have to share busy cores.
const startLimitMs = 30_000; // Of starting a worker, on the slowest of machines.
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 };
const maxCachedRenders = 16;
const maxCachedLength = 256 * 1024; // Characters of a conversation whose rendering is kept.

/** One worker thread for all models of the process: it starts with the first rendering and never keeps the process alive. */
class Renderer {
  #pool: Promise<Piscina> | undefined;
  #isWarm = false;
  #last: Promise<unknown> = Promise.resolve();

  /** One after the other, so that a time limit counts the rendering and not the waiting. */
  render(task: RenderTask): Promise<RenderOutcome> {
    const outcome = this.#last.then(() => this.#run(task));
    this.#last = outcome.catch(() => {});
    return outcome;
  }

  async #run(task: RenderTask): Promise<RenderOutcome> {
    const pool = await (this.#pool ??= startPool());
    if (!this.#isWarm) await runWithin(startLimitMs, pool, warmUpTask);
    this.#isWarm = true;
    try {
      return await runWithin(renderLimitMs, pool, task);
    } catch (error) {
      this.#isWarm = false; // The worker is gone, a new one takes its place.
      throw error;
    }
  }
}

const warmUpTask: RenderTask = { template: '', variables: {}, maxLength: 0 };
const renderer = new Renderer();

async function startPool(): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: new URL('./workers/chat-template.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: Infinity,
    resourceLimits,
  });
  // A worker that was given up may still reach its memory limit before it ends: nobody waits for it any more, and without
  // a listener the event would end the process.
  pool.on('error', () => {});
  return pool;
}

async function runWithin(limitMs: number, pool: Piscina, task: RenderTask): Promise<RenderOutcome> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), limitMs);
  try {
    return (await pool.run(task, { signal: controller.signal })) as RenderOutcome;
  } catch (cause) {
    if (controller.signal.aborted) throw failure('ERR_TEMPLATE_TIMEOUT', `took more than ${limitMs} ms`, cause);
    throw failure('ERR_TEMPLATE_FAILED', String((cause as Error)?.message ?? cause), cause);
  } finally {
    clearTimeout(timer);
  }
}

function failure(code: ErrorCode, what: string, cause?: unknown): TemplateError {
  return new TemplateError(code, `The model's chat template failed: ${what}`, { cause });
}

/** A model's chat template: Jinja that the model's file brings along, so it runs in a worker with limits. */
export class ChatTemplate {
  readonly #source: string;
  readonly #tokens: { bos_token: string; eos_token: string };
  readonly #renders = new Map<string, Promise<string>>(); // The last few, the oldest first.

  /** `source`: '' = the model has none. */
  constructor(source: string, bosText: string, eosText: string) {
    this.#source = source;
    this.#tokens = { bos_token: bosText, eos_token: eosText };
  }

  get exists(): boolean {
    return this.#source !== '';
  }

  /** Rejects with a TemplateError. */
  async render(messages: readonly Message[], addGenerationPrompt: boolean): Promise<string> {
    if (!this.exists) throw noTemplate();
    const key = JSON.stringify([addGenerationPrompt, messages]);
    const known = this.#renders.get(key);
    if (known) return known;
    const text = this.#render(messages, addGenerationPrompt, key.length);
    if (key.length <= maxCachedLength) this.#remember(key, text);
    return text;
  }

  async #render(messages: readonly Message[], addGenerationPrompt: boolean, inputLength: number): Promise<string> {
    const outcome = await renderer.render({
      template: this.#source,
      variables: { ...this.#tokens, messages: [...messages], add_generation_prompt: addGenerationPrompt },
      maxLength: 4 * inputLength + this.#source.length + 64 * 1024,
    });
    if ('text' in outcome) return outcome.text;
    throw failure(outcome.isTooLong ? 'ERR_TEMPLATE_OUTPUT' : 'ERR_TEMPLATE_FAILED', outcome.message);
  }

  #remember(key: string, text: Promise<string>): void {
    this.#renders.set(key, text);
    text.catch(() => this.#renders.delete(key));
    const [oldest] = this.#renders.keys();
    if (this.#renders.size > maxCachedRenders) this.#renders.delete(oldest);
  }
}

function noTemplate(): TemplateError {
  return new TemplateError(
    'ERR_NO_CHAT_TEMPLATE',
    'This model has no chat template: it is a base model. Give a prompt instead of messages, ' +
      'or load the model with the option chatTemplate (Jinja source).',
  );
}
