// What node-llama-cpp's sequences are made to do: draw, be asked, go back.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Sequences in turn: who comes while all are taken waits, the first come first served. */
export class FreeSequences {
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

export async function turnInParallel(workload, newSequence) {
  const sequences = Array.from({ length: workload.candidates }, newSequence);
  return Promise.all(sequences.map((sequence, index) => drawAndAsk(sequence, workload.context, workload, index)));
}

export async function turnOneByOne(workload, newSequence) {
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

export async function turnWithSavedState(workload, newSequence) {
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
export async function scoreAll(sequence, waiting, questions) {
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
export async function chooseAll(sequence, waiting) {
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
export async function draw(sequence, prompt, { maxTokens, onToken, ...sampling }) {
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
export const askFor = (label) => ({
  generateNext: {
    logits: { filter: { tokens: [label], includeTop: 1 } },
    totalLogitWeight: true,
    options: { temperature: 1, topK: 0, topP: 1, minP: 0 },
  },
});

export const toLogprob = ({ logits, totalLogitWeight }, label) =>
  logits.get(label) - Math.max(...logits.values()) - Math.log(totalLogitWeight);

/** Leaves `length` tokens in the sequence; returns how many there are. */
export async function goBackTo(sequence, length) {
  const end = sequence.nextTokenIndex;
  if (end > length) await sequence.eraseContextTokenRanges([{ start: length, end }]);
  return sequence.nextTokenIndex;
}

/** At least one token of the request is left to evaluate. */
export function commonLength(held, request) {
  const differs = request.findIndex((token, index) => token !== held[index]);
  return differs < 0 ? request.length - 1 : Math.min(differs, request.length - 1);
}
