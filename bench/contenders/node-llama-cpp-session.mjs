// node-llama-cpp: one context with a sequence for each request, its own batching.
//
// For a turn it can share nothing between sequences. Three ways around are measured: every sequence reads the context
// ('parallel'), one sequence draws the candidates one after another and goes back ('one sequence'), the context's state
// goes through a file into every sequence ('saved state').
import { Latencies } from './latencies.mjs';
import {
  askFor,
  chooseAll,
  commonLength,
  draw,
  FreeSequences,
  goBackTo,
  scoreAll,
  toLogprob,
  turnInParallel,
  turnOneByOne,
  turnWithSavedState,
} from './node-llama-cpp-sequences.mjs';

const batchSize = 512;

export async function openNodeLlamaCpp({ file, threads, shape, configuration }) {
  const { getLlama, LlamaLogLevel } = await import('node-llama-cpp');
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: threads });
  const model = await llama.loadModel({ modelPath: file });
  const context = await model.createContext({
    sequences: configuration === 'one sequence' ? 1 : shape.sequences,
    contextSize: Math.max(shape.sequenceTokens, 256) + 8,
    batchSize: Math.min(batchSize, Math.max(shape.sequenceTokens, 256)),
    threads: { ideal: threads, min: threads },
    flashAttention: true,
  });
  return new NodeLlamaCppSession(llama, model, context, configuration);
}

class NodeLlamaCppSession {
  #llama;
  #context;
  #configuration;
  #sequenceCount;
  #sequences = []; // Of the run, with what their meters showed before.
  #idle = []; // Empty. A disposed sequence's place is free only some time later.

  constructor(llama, model, context, configuration) {
    this.#llama = llama;
    this.#context = context;
    this.#configuration = configuration;
    this.#sequenceCount = context.totalSequences;
    this.info = { vocabularySize: model.fileInfo.metadata.tokenizer.ggml.tokens.length };
  }

  async generate({ requests, maxTokens }) {
    const latencies = new Latencies();
    const answers = await this.#configurationOf(requests, (sequence, prompt, index) =>
      draw(sequence, prompt, { temperature: 0, maxTokens, onToken: latencies.follow(index) }),
    );
    return { ...(await this.#count(answers)), ...latencies.toResult() };
  }

  /** Every request when it is due, on the first sequence that is free. */
  async serve({ requests, arrivalMs, maxTokens }) {
    const latencies = new Latencies();
    const free = new FreeSequences(Array.from({ length: this.#sequenceCount }, () => this.#newSequence()));
    const answers = await Promise.all(
      requests.map(async (prompt, index) => {
        await latencies.waitUntil(arrivalMs[index]);
        const onToken = latencies.follow(index, arrivalMs[index]);
        return free.use((sequence) => draw(sequence, prompt, { temperature: 0, maxTokens, onToken }));
      }),
    );
    return { ...(await this.#count(answers)), ...latencies.toResult() };
  }

  async turn(workload) {
    const turns = { parallel: turnInParallel, 'one sequence': turnOneByOne, 'saved state': turnWithSavedState };
    const results = await turns[this.#configuration](workload, () => this.#newSequence());
    const scores = results.reduce((total, { logprobs }) => total + logprobs.length, 0);
    return { ...(await this.#count(results.map(({ answer }) => answer))), scores };
  }

  /** As many texts at once as there are sequences. */
  async score({ texts, questions }) {
    const waiting = [...texts];
    const sequences = Array.from({ length: this.#sequenceCount }, () => this.#newSequence());
    const counts = await Promise.all(sequences.map((sequence) => scoreAll(sequence, waiting, questions)));
    return { ...(await this.#count([])), scores: counts.reduce((total, count) => total + count, 0) };
  }

  /** As many texts at once as there are sequences. */
  async choose({ items }) {
    const waiting = [...items];
    const sequences = Array.from({ length: this.#sequenceCount }, () => this.#newSequence());
    const counts = await Promise.all(sequences.map((sequence) => chooseAll(sequence, waiting)));
    return { ...(await this.#count([])), scores: counts.reduce((total, count) => total + count, 0) };
  }

  /** log P of each token from `from` on, given all before it. */
  async logprobs({ tokens, from }) {
    const sequence = this.#newSequence();
    const items = tokens.slice(0, -1).map((token, index) => {
      return index < from - 1 ? token : [token, askFor(tokens[index + 1])];
    });
    const outputs = await sequence.controlledEvaluate(items);
    const logprobs = outputs.slice(from - 1).map(({ next }, index) => toLogprob(next, tokens[from + index]));
    await this.#endRun();
    return logprobs;
  }

  async close() {
    await this.#llama.dispose();
  }

  #newSequence() {
    const sequence = this.#idle.pop() ?? this.#context.getSequence();
    this.#sequences.push({ sequence, before: sequence.tokenMeter.getState() });
    return sequence;
  }

  /** Each request on a sequence of its own, or all on one that forgets what the next doesn't begin with. */
  async #configurationOf(requests, action) {
    if (this.#configuration !== 'one sequence') {
      return Promise.all(requests.map((request, index) => action(this.#newSequence(), request, index)));
    }
    const sequence = this.#newSequence();
    const answers = [];
    for (const [index, request] of requests.entries()) {
      const kept = await goBackTo(sequence, commonLength(sequence.contextTokens, request));
      answers.push(await action(sequence, request.slice(kept), index));
    }
    return answers;
  }

  async #count(answers) {
    const generatedTokens = answers.reduce((total, { length }) => total + length, 0);
    // Its meter calls every token an output whose logits were wanted: the last of a prompt, and drawn ones fed back.
    const metered = this.#sequences.map(({ sequence, before }) => sequence.tokenMeter.diff(before));
    const evaluated = metered.reduce((total, used) => total + used.usedInputTokens + used.usedOutputTokens, 0);
    const fedBack = answers.reduce((total, { length }) => total + length - 1, 0);
    await this.#endRun();
    return { generatedTokens, evaluatedTokens: evaluated - fedBack };
  }

  async #endRun() {
    const used = this.#sequences.splice(0).map(({ sequence }) => sequence);
    await Promise.all(used.map((sequence) => sequence.clearHistory()));
    this.#idle.push(...used);
  }
}
