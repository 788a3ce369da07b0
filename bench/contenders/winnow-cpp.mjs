// The engine alone, in C++ (bench/cpp/engine_alone.cc): what the package costs beyond it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { memoryOf } from '../frame/process-memory.mjs';
import { engineProgram, missingUnless } from '../peers.mjs';

export default {
  name: 'winnow-cpp',
  isQuick: false,
  operations: ['overhead'],
  missing: () => missingUnless(engineProgram, 'winnow-cpp'),
  configurations: () => ['default'],
  open,
};

/** The same sizes as contenders/winnow-session.mjs. */
async function open({ file, threads, shape }) {
  const sizes = [Math.max(shape.sequenceTokens, 256), shape.sharedTokens + 512];
  const session = new EngineSession(spawn(engineProgram, [file, threads, ...sizes].map(String)));
  session.info = await session.readReply();
  return session;
}

class EngineSession {
  #child;
  #replies;

  constructor(child) {
    this.#child = child;
    child.stderr.pipe(process.stderr);
    this.#replies = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  overhead({ requests, maxTokens }) {
    return this.#call(`run ${maxTokens} ${requests.length}`, requests);
  }

  logprobs({ tokens, from }) {
    return this.#call(`logprobs ${from}`, [tokens]);
  }

  memory() {
    return memoryOf(this.#child.pid);
  }

  async close() {
    this.#child.stdin.end();
    await once(this.#child, 'exit');
  }

  async readReply() {
    const { value, done } = await this.#replies.next();
    if (done) throw new Error('engine_alone has ended');
    return JSON.parse(value);
  }

  #call(command, lists) {
    const lines = [command, ...lists.map((tokens) => tokens.join(' '))];
    this.#child.stdin.write(`${lines.join('\n')}\n`);
    return this.readReply();
  }
}
