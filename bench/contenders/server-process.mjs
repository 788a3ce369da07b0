// A server of llama.cpp's kind in a process of its own: its start, and requests to /completion.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { readServerEvents } from './server-events.mjs';

export const host = '127.0.0.1';
const pollMs = 50; // Between asking a server that is loading whether it is ready.

/** `argumentsFor(port)`: of the program. Resolves once the model is loaded. */
export async function startServer(program, argumentsFor) {
  const port = await freePort();
  const child = spawn(program, argumentsFor(port), { stdio: 'ignore' });
  process.on('exit', () => child.kill('SIGKILL'));
  const server = new ServerProcess(child, `http://${host}:${port}`);
  await server.waitUntilReady();
  return server;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
      .on('error', reject)
      .listen(0, host, () => {
        const { port } = probe.address();
        probe.close(() => resolve(port));
      });
  });
}

class ServerProcess {
  #child;
  #address;
  #exit;

  constructor(child, address) {
    this.#child = child;
    this.#address = address;
    child.on('error', (error) => (this.#exit = error.message));
    child.on('exit', (code, signal) => (this.#exit = signal ?? `exit status ${code}`));
  }

  get pid() {
    return this.#child.pid;
  }

  async waitUntilReady() {
    for (;;) {
      if (this.#exit) throw new Error(`the server ended: ${this.#exit}`);
      const response = await fetch(`${this.#address}/health`).catch(() => undefined);
      await response?.body?.cancel();
      if (response?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  async complete(body) {
    return (await this.#post('completion', body)).json();
  }

  /** Calls `onToken` for each token as it arrives; resolves to the last event, which has the counts. */
  async stream(body, onToken) {
    const response = await this.#post('completion', { ...body, stream: true });
    for await (const event of readServerEvents(response.body)) {
      const arrived = event.tokens?.length ?? (event.stop ? 0 : 1); // Some servers send one by one, without ids.
      for (let index = 0; index < arrived; index++) onToken();
      if (event.stop) return event;
    }
    throw new Error('the server ended a stream before its last event');
  }

  async detokenize(tokens) {
    return (await (await this.#post('detokenize', { tokens })).json()).content;
  }

  async close() {
    if (this.#exit) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }

  async #post(path, body) {
    const response = await fetch(`${this.#address}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ cache_prompt: true, ignore_eos: true, return_tokens: true, ...body }),
    });
    if (response.ok) return response;
    throw new Error(`the server answers ${response.status}: ${(await response.text()).slice(0, 500)}`);
  }
}
