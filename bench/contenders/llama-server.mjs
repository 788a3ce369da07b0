// llama.cpp's server, built from the same source as we use, over HTTP with token ids. The script tries the documented
// configurations that matter for the work and keeps the fastest:
//   unified     one KV buffer for all slots (--kv-unified)
//   split       a buffer for each slot (--no-kv-unified)
//   one slot    requests one after another on one slot, which keeps what they have in common
//   automatic   the server chooses the slots and keeps idle prompts in memory: its defaults
// A turn draws its candidates with `n_cmpl`, which reads the prompt once. Behind it only the first candidate's slot still
// knows its tokens, any other would read everything again: so the questions go to that slot, one after another, where each
// candidate costs its own tokens only ('automatic' leaves this to the server).
import { memoryOf } from '../frame/process-memory.mjs';
import { llamaProgram, missingUnless } from '../peers.mjs';
import { Latencies } from './latencies.mjs';
import { host, startServer } from './server-process.mjs';

const spareTokens = 64; // Per slot, for what the server wants to have free.

export default {
  name: 'llama-server',
  isQuick: true,
  operations: ['generate', 'turn', 'score', 'choose', 'serve'],
  missing: () => missingUnless(llamaProgram('llama-server'), 'llama.cpp'),
  configurations: ({ operation, sequences, sharesPrefix }) => {
    if (sequences === 1) return ['unified'];
    if (operation === 'choose') return ['one slot', 'unified', 'split'];
    return operation === 'turn' || sharesPrefix ? ['one slot', 'unified', 'split', 'automatic'] : ['unified', 'split'];
  },
  open,
};

async function open(setup) {
  const server = await startServer(llamaProgram('llama-server'), (port) => serverArguments(setup, port));
  return new ServerSession(server, setup);
}

function serverArguments({ file, threads, shape, configuration }, port) {
  const slots = configuration === 'one slot' ? 1 : shape.sequences;
  const perSlot = Math.max(shape.sequenceTokens, 192) + spareTokens;
  const values = { '-m': file, '--host': host, '--port': port, '-np': slots, '-c': slots * perSlot, '-ngl': 0 };
  const compute = { '-t': threads, '-tb': threads, '-b': 2048, '-ub': 512, '-fa': 'on', '--cache-ram': 0 };
  const kind = configuration === 'split' ? '--no-kv-unified' : '--kv-unified';
  return [
    ...Object.entries({ ...values, ...compute })
      .flat()
      .map(String),
    kind,
    '--no-cache-idle-slots',
    '--no-ui',
  ];
}

class ServerSession {
  info = {};
  #server;
  #configuration;
  #slots;

  constructor(server, { configuration, shape }) {
    this.#server = server;
    this.#configuration = configuration;
    this.#slots = shape.sequences;
  }

  /** Streaming only where that is asked for: it costs the server and us something. */
  async generate({ requests, maxTokens, streams }) {
    const latencies = new Latencies();
    const results = await this.#each(requests, (prompt, index) => {
      const request = { prompt, n_predict: maxTokens, temperature: 0, id_slot: this.#slot(index) };
      return streams ? this.#server.stream(request, latencies.follow(index)) : this.#server.complete(request);
    });
    return { ...count(results), ...(streams ? latencies.toResult() : { firstTokenMs: null, interTokenMs: null }) };
  }

  /** Every request when it is due; the server chooses the slot, and the next in line waits for it. */
  async serve({ requests, arrivalMs, maxTokens }) {
    const latencies = new Latencies();
    const results = await Promise.all(
      requests.map(async (prompt, index) => {
        await latencies.waitUntil(arrivalMs[index]);
        const request = { prompt, n_predict: maxTokens, temperature: 0, id_slot: -1 };
        return this.#server.stream(request, latencies.follow(index, arrivalMs[index]));
      }),
    );
    return { ...count(results), ...latencies.toResult() };
  }

  async turn(workload) {
    const drawn = await this.#draw(workload);
    const questions = await this.#ask(drawn, workload);
    // Copies of the prompt's state report its tokens again.
    const drawnOnce = this.#configuration === 'one slot' ? drawn : drawn.slice(0, 1);
    return {
      generatedTokens: count(drawn).generatedTokens,
      evaluatedTokens: count(drawnOnce).evaluatedTokens + count(questions).evaluatedTokens,
      scores: questions.length,
    };
  }

  /** As many texts at once as there are slots; the questions of a text one after another on its slot. */
  async score({ texts, questions }) {
    const waiting = [...texts];
    const slots = Array.from({ length: this.#slots }, (_, slot) => slot);
    const results = await Promise.all(slots.map((slot) => this.#scoreAll(waiting, questions, slot)));
    return { evaluatedTokens: count(results.flat()).evaluatedTokens, scores: results.flat().length };
  }

  /** The choices of a text one after another on its slot, which keeps the text. */
  async choose({ items }) {
    const waiting = [...items];
    const slots = Array.from({ length: this.#configuration === 'one slot' ? 1 : this.#slots }, (_, slot) => slot);
    const results = (await Promise.all(slots.map((slot) => this.#chooseAll(waiting, slot)))).flat();
    // What it draws is evaluated, too, but for the last of each.
    const drawn = results.reduce((total, { tokens_predicted }) => total + tokens_predicted - 1, 0);
    return { evaluatedTokens: count(results).evaluatedTokens + drawn, scores: results.length };
  }

  /** log P of each token from `from` on, given all before it. */
  async logprobs({ tokens, from }) {
    const logprobs = [];
    for (let index = from; index < tokens.length; index++) {
      const result = await this.#score(tokens.slice(0, index), tokens[index], 0);
      logprobs.push(result.logprob);
    }
    return logprobs;
  }

  memory() {
    return memoryOf(this.#server.pid);
  }

  close() {
    return this.#server.close();
  }

  async #draw({ context, candidates, maxTokens, temperature, topK, seed }) {
    const sampling = { temperature, top_k: topK, top_p: 1, min_p: 0, repeat_penalty: 1, seed };
    const request = { prompt: context, n_predict: maxTokens, ...sampling, samplers: ['top_k', 'temperature'] };
    if (this.#configuration !== 'one slot') return this.#server.complete({ ...request, n_cmpl: candidates });
    const numbers = Array.from({ length: candidates }, (_, index) => index);
    return this.#each(numbers, (index) => this.#server.complete({ ...request, seed: seed + index }));
  }

  async #ask(drawn, { context, questions }) {
    const asked = drawn.flatMap(({ tokens }) =>
      questions.map(({ suffix, label }) => ({ prompt: [...context, ...tokens, ...suffix], label: label[0] })),
    );
    if (this.#configuration === 'automatic') {
      return Promise.all(asked.map(({ prompt, label }) => this.#score(prompt, label, -1)));
    }
    return oneByOne(asked, ({ prompt, label }) => this.#score(prompt, label, drawn[0].id_slot));
  }

  async #scoreAll(waiting, questions, slot) {
    const results = [];
    while (waiting.length > 0) {
      const text = waiting.pop();
      for (const { suffix, label } of questions) results.push(await this.#score([...text, ...suffix], label[0], slot));
    }
    return results;
  }

  async #chooseAll(waiting, slot) {
    const results = [];
    while (waiting.length > 0) {
      const { text, choices } = waiting.pop();
      for (const choice of choices) results.push(await this.#readChoice(text, choice, slot));
    }
    return results;
  }

  /** A grammar of token ids makes the server draw the choice; it tells the log-probabilities before the grammar. */
  async #readChoice(prompt, choice, slot) {
    const grammar = `root ::= ${choice.map((token) => `<[${token}]>`).join(' ')}`;
    const drawing = { grammar, temperature: 0, n_predict: choice.length, n_probs: 1 };
    const result = await this.#server.complete({ prompt, id_slot: slot, ...drawing });
    const drawn = result.completion_probabilities.map(({ id }) => id);
    if (drawn.join() !== choice.join()) throw new Error(`llama-server drew ${drawn} instead of ${choice}`);
    return { ...result, logprob: result.completion_probabilities.reduce((total, { logprob }) => total + logprob, 0) };
  }

  /** The server tells the log-probability of what it draws, before any bias: so a bias makes it draw the label. */
  async #score(prompt, label, slot) {
    const drawLabel = { logit_bias: [[label, 1e6]], temperature: 0, n_predict: 1, n_probs: 1 };
    const result = await this.#server.complete({ prompt, id_slot: slot, ...drawLabel });
    const [{ id, logprob }] = result.completion_probabilities;
    if (id !== label) throw new Error(`llama-server drew token ${id} instead of ${label}`);
    return { ...result, logprob };
  }

  #each(items, action) {
    return this.#configuration === 'one slot' ? oneByOne(items, action) : Promise.all(items.map(action));
  }

  #slot(index) {
    return { 'one slot': 0, automatic: -1 }[this.#configuration] ?? index;
  }
}

async function oneByOne(items, action) {
  const results = [];
  for (const [index, item] of items.entries()) results.push(await action(item, index));
  return results;
}

const count = (results) => ({
  generatedTokens: results.reduce((total, { tokens_predicted }) => total + tokens_predicted, 0),
  evaluatedTokens: results.reduce((total, { timings }) => total + timings.prompt_n, 0),
});
