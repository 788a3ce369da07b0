// A contender in a process of its own. One JSON object per line: {id, method, params} down, {id, result | error} up.
// What else it prints on standard output is dropped; standard error is kept for the message of a failure.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const host = fileURLToPath(new URL('contender-host.mjs', import.meta.url));
const keptCharacters = 2000; // Of standard error.
const patienceMs = 10_000; // Between asking a process to end and killing it.

export class TimeLimitError extends Error {}

export class ContenderProcess {
  #child;
  #errors = '';
  #waiting = new Map();
  #nextId = 1;
  #ended;

  constructor(contender) {
    const { command, args } = contender.program ?? { command: process.execPath, args: [host, contender.name] };
    this.name = contender.name;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin.on('error', () => {}); // The end of the process is reported below.
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-keptCharacters);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#receive(line));
    this.#ended = new Promise((resolve) => {
      const end = (reason) => {
        this.#failAll(`${this.name} ended (${reason})\n${this.#errors.trimEnd()}`);
        resolve();
      };
      this.#child.on('error', ({ message }) => end(message));
      this.#child.on('close', (code, signal) => end(signal ?? `exit status ${code}`));
    });
  }

  /** Rejects with the contender's own message; with TimeLimitError, and the process ended, after `limitMs`. */
  call(method, params = {}, { limitMs } = {}) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = limitMs && setTimeout(() => this.#giveUp(id, limitMs), limitMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#child.stdin.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  async close() {
    this.#child.stdin.end();
    const terminate = setTimeout(() => this.#child.kill('SIGTERM'), patienceMs);
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 2 * patienceMs);
    await this.#ended;
    clearTimeout(terminate);
    clearTimeout(kill);
  }

  #receive(line) {
    if (!line.startsWith('{"id":')) return;
    const { id, result, error } = JSON.parse(line);
    const call = this.#take(id);
    if (!call) return;
    if (error === undefined) call.resolve(result);
    else call.reject(new Error(`${this.name}: ${error}`));
  }

  #giveUp(id, limitMs) {
    this.#take(id)?.reject(new TimeLimitError(`${this.name} took more than ${(limitMs / 1000).toFixed(1)} s`));
    this.#child.kill('SIGTERM');
    setTimeout(() => this.#child.kill('SIGKILL'), patienceMs).unref();
  }

  #take(id) {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(call?.timer);
    return call;
  }

  #failAll(message) {
    for (const id of [...this.#waiting.keys()]) this.#take(id).reject(new Error(message));
  }
}
