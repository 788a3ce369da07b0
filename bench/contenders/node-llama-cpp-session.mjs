// node-llama-cpp: one context with a sequence for each request, its own batching.
//
// For a turn it can share nothing between sequences. Three ways around are measured: every sequence reads the context
// ('parallel'), one sequence draws the candidates one after another and goes back ('one sequence'), the context's state
// goes through a file into every sequence ('saved state').
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Latencies } from './latencies.mjs';

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

/** Sequences in turn: who comes while all are taken waits, the first come first served. */
class FreeSequences {
  #free;
  #waiting = [];

  constructor(sequences) {
    this.#free = [...sequences];
  }

  async use(action) {
    const sequence = this.#free.pop() ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
    const result = await action(sequence);
    await sequence.clearHistory();
    const next = this.#waiting.shift();
    if (next) next(sequence);
    else this.#free.push(sequence);
    return result;
  }
}

async function turnInParallel(workload, newSequence) {
  const sequences = Array.from({ length: workload.candidates }, newSequence);
  return Promise.all(sequences.map((sequence, index) => drawAndAsk(sequence, workload.context, workload, index)));
}

async function turnOneByOne(workload, newSequence) {
  const sequence = newSequence();
  const { context } = workload;
  await sequence.evaluateWithoutGeneratingNewTokens(context.slice(0, -1));
  const results = [];
  for (let index = 0; index < workload.candidates; index++) {
    await goBackTo(sequence, context.length - 1);
    results.push(await drawAndAsk(sequence, context.slice(-1), workload, index));
  }
  return results;
}

async function turnWithSavedState(workload, newSequence) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'winnow-bench-'));
  const file = path.join(folder, 'context');
  const { context } = workload;
  try {
    const [first, ...others] = Array.from({ length: workload.candidates }, newSequence);
    await first.evaluateWithoutGeneratingNewTokens(context.slice(0, -1));
    await first.saveStateToFile(file);
    for (const sequence of others) await sequence.loadStateFromFile(file, { acceptRisk: true });
    return await Promise.all(
      [first, ...others].map((sequence, index) => drawAndAsk(sequence, context.slice(-1), workload, index)),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Takes texts until none is left; returns how many questions were answered. */
async function scoreAll(sequence, waiting, questions) {
  let count = 0;
  while (waiting.length > 0) {
    const text = waiting.pop();
    await sequence.evaluateWithoutGeneratingNewTokens(text);
    count += (await askEach(sequence, questions)).length;
    await goBackTo(sequence, 0);
  }
  return count;
}

/** Takes texts until none is left; returns how many choices were read. */
async function chooseAll(sequence, waiting) {
  let count = 0;
  while (waiting.length > 0) {
    const { text, choices } = waiting.pop();
    await sequence.evaluateWithoutGeneratingNewTokens(text.slice(0, -1));
    for (const choice of choices) {
      await readChoice(sequence, [text.at(-1), ...choice]);
      await goBackTo(sequence, text.length - 1);
      count++;
    }
    await goBackTo(sequence, 0);
  }
  return count;
}

/** log P of all tokens but the first, which is the last of what stands before them. */
async function readChoice(sequence, tokens) {
  const outputs = await sequence.controlledEvaluate(
    tokens.slice(0, -1).map((token, index) => [token, askFor(tokens[index + 1])]),
  );
  return outputs.reduce((total, { next }, index) => total + toLogprob(next, tokens[index + 1]), 0);
}

/** Log-probabilities of the labels; the sequence is afterwards as it was. */
async function askEach(sequence, questions) {
  const end = sequence.nextTokenIndex;
  const logprobs = [];
  for (const { suffix, label } of questions) {
    logprobs.push(await ask(sequence, suffix, label[0]));
    await goBackTo(sequence, end);
  }
  return logprobs;
}

async function drawAndAsk(sequence, prompt, { maxTokens, temperature, topK, seed, questions }, index) {
  const answer = await draw(sequence, prompt, { maxTokens, temperature, topK, seed: seed + index });
  await sequence.evaluateWithoutGeneratingNewTokens(answer.slice(-1));
  return { answer, logprobs: await askEach(sequence, questions) };
}

/** Exactly `maxTokens`: an end-of-text token does not end it. The last one is not evaluated. */
async function draw(sequence, prompt, { maxTokens, onToken, ...sampling }) {
  const answer = [];
  const tokens = sequence.evaluate(prompt, { ...sampling, yieldEogToken: true });
  while (answer.length < maxTokens) {
    const { value, done } = await tokens.next();
    if (done) break;
    onToken?.();
    answer.push(value);
  }
  await tokens.return();
  return answer;
}

async function ask(sequence, suffix, label) {
  const outputs = await sequence.controlledEvaluate([...suffix.slice(0, -1), [suffix.at(-1), askFor(label)]]);
  return toLogprob(outputs.at(-1).next, label);
}

/**
 * The label's logit, the largest, and the sum under the largest: three numbers instead of the whole vocabulary.
 * (`includeMax` of 3.22 gives the largest only where it is the label.)
 */
const askFor = (label) => ({
  generateNext: {
    logits: { filter: { tokens: [label], includeTop: 1 } },
    totalLogitWeight: true,
    options: { temperature: 1, topK: 0, topP: 1, minP: 0 },
  },
});

const toLogprob = ({ logits, totalLogitWeight }, label) =>
  logits.get(label) - Math.max(...logits.values()) - Math.log(totalLogitWeight);

/** Leaves `length` tokens in the sequence; returns how many there are. */
async function goBackTo(sequence, length) {
  const end = sequence.nextTokenIndex;
  if (end > length) await sequence.eraseContextTokenRanges([{ start: length, end }]);
  return sequence.nextTokenIndex;
}

/** At least one token of the request is left to evaluate. */
function commonLength(held, request) {
  const differs = request.findIndex((token, index) => token !== held[index]);
  return differs < 0 ? request.length - 1 : Math.min(differs, request.length - 1);
}
