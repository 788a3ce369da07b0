// ik_llama.cpp's server, a fork of llama.cpp with CPU kernels of its own, where WINNOW_IK_LLAMA names its llama-server.
//
// Written after its source (commit 8337e4c, August 2026). Its /completion tells the probabilities of the likeliest tokens by
// their texts, never that of a given label, so it takes no part in scoring. With fewer than all tokens asked for, the sum
// that they are divided by counts the others twice: so the agreement asks for all.
import { memoryOf } from '../frame/process-memory.mjs';
import { Latencies } from './latencies.mjs';
import { host, startServer } from './server-process.mjs';

const spareTokens = 64; // Per slot, for what the server wants to have free.
const allTokens = 1 << 24; // More than any vocabulary has.

export default {
  name: 'ik-llama',
  isQuick: false,
  operations: ['generate', 'serve'],
  missing: () => (process.env.WINNOW_IK_LLAMA ? undefined : 'set WINNOW_IK_LLAMA to the path of its llama-server'),
  configurations: () => ['split'],
  open,
};

async function open(setup) {
  const server = await startServer(process.env.WINNOW_IK_LLAMA, (port) => serverArguments(setup, port));
  return new IkSession(server);
}

function serverArguments({ file, threads, shape }, port) {
  const perSlot = Math.max(shape.sequenceTokens, 192) + spareTokens;
  const values = {
    '-m': file,
    '--host': host,
    '--port': port,
    '-np': shape.sequences,
    '-c': shape.sequences * perSlot,
  };
  const compute = { '-t': threads, '-tb': threads, '-b': 2048, '-ub': 512, '-fa': 'on', '-ngl': 0, '-cram': 0 };
  return Object.entries({ ...values, ...compute })
    .flat()
    .map(String);
}

class IkSession {
  info = {};
  #server;

  constructor(server) {
    this.#server = server;
  }

  generate({ requests, maxTokens, streams }) {
    const requested = requests.map((prompt, slot) => ({ prompt, slot, dueMs: 0 }));
    return this.#answer(requested, maxTokens, streams);
  }

  serve({ requests, arrivalMs, maxTokens }) {
    const requested = requests.map((prompt, index) => ({ prompt, slot: -1, dueMs: arrivalMs[index] }));
    return this.#answer(requested, maxTokens, true);
  }

  /** log P of each token from `from` on, given all before it. */
  async logprobs({ tokens, from }) {
    const logprobs = [];
    for (let index = from; index < tokens.length; index++) {
      const request = { prompt: tokens.slice(0, index), n_predict: 1, temperature: 0, n_probs: allTokens };
      const [{ probs }] = (await this.#server.complete(request)).completion_probabilities;
      logprobs.push(logprobOf(await this.#server.detokenize([tokens[index]]), probs));
    }
    return logprobs;
  }

  memory() {
    return memoryOf(this.#server.pid);
  }

  close() {
    return this.#server.close();
  }

  async #answer(requested, maxTokens, streams) {
    const latencies = new Latencies();
    const results = await Promise.all(
      requested.map(async ({ prompt, slot, dueMs }, index) => {
        await latencies.waitUntil(dueMs);
        const request = { prompt, n_predict: maxTokens, temperature: 0, id_slot: slot };
        return streams ? this.#server.stream(request, latencies.follow(index, dueMs)) : this.#server.complete(request);
      }),
    );
    const sum = (count) => results.reduce((total, result) => total + count(result), 0);
    return {
      generatedTokens: sum(({ tokens_predicted }) => tokens_predicted),
      evaluatedTokens: sum(({ timings }) => timings.prompt_n),
      ...(streams ? latencies.toResult() : { firstTokenMs: null, interTokenMs: null }),
    };
  }
}

/** Of the likeliest token with this text; null where there is none. `probs`: the likeliest first. */
export function logprobOf(text, probs) {
  const found = probs.find(({ tok_str }) => tok_str === text);
  return found ? Math.log(found.prob) : null;
}
