// Winnow through its public interface. `kernels` is what sets the two contenders apart.
import { PerformanceObserver } from 'node:perf_hooks';
import { crc32 } from 'node:zlib';
import { loadModel } from '../../dist/index.js';
import { Latencies } from './latencies.mjs';
import { runMixedLoad } from './mixed-load.mjs';
import { runRows } from './winnow-rows.mjs';

export async function openWinnow({ file, threads, shape }, kernels) {
  const open = (more) =>
    loadModel(file, {
      threads,
      gpuLayers: 0,
      kernels,
      contextSize: Math.max(shape.sequenceTokens, 256),
      cacheTokens: shape.sharedTokens + 512,
      ...more,
    });
  return new WinnowSession(await open(), open);
}

class WinnowSession {
  #model;
  #open;

  /** `open(options)` loads the same model with other options. */
  constructor(model, open) {
    this.#model = model;
    this.#open = open;
    const { vocabularySize, threads } = model.info;
    this.info = { vocabularySize, threads, kernels: model.info.kernels };
  }

  async generate({ requests, maxTokens, prefixTokens, streams }) {
    const latencies = new Latencies();
    const prefix = prefixTokens && (await this.#model.prefill({ prompt: requests[0].slice(0, prefixTokens) }));
    const source = prefix || this.#model;
    const answers = requests.map((prompt, index) => {
      const generation = source.generate({ prompt: prompt.slice(prefixTokens ?? 0), ...greedy(maxTokens) });
      return streams ? readStream(generation, latencies.follow(index)) : generation.result();
    });
    const results = await Promise.all(answers);
    await prefix?.close?.();
    const firstTokenMs = results.map(({ timings }) => timings.firstTokenMs);
    const counts = count([...results, ...(prefix ? [{ tokens: 0, usage: prefix.usage }] : [])]);
    return { ...counts, ...(streams ? latencies.toResult() : { firstTokenMs }) };
  }

  /** Every request when it is due, token by token. */
  async serve({ requests, arrivalMs, maxTokens }) {
    const latencies = new Latencies();
    const answers = requests.map(async (prompt, index) => {
      await latencies.waitUntil(arrivalMs[index]);
      return readStream(
        this.#model.generate({ prompt, ...greedy(maxTokens) }),
        latencies.follow(index, arrivalMs[index]),
      );
    });
    const results = await Promise.all(answers);
    return { ...count(results), ...latencies.toResult() };
  }

  /** Token by token, with what Node did meanwhile (scenarios/node-overhead.mjs). */
  async overhead({ requests, maxTokens }) {
    const { steps } = this.#model.stats();
    const collections = new PerformanceObserver(() => {});
    collections.observe({ entryTypes: ['gc'], buffered: false });
    const loop = performance.eventLoopUtilization();
    const start = performance.now();
    const generations = requests.map((prompt) => this.#model.generate({ prompt, ...greedy(maxTokens) }));
    const submitMs = performance.now() - start;
    const results = await Promise.all(generations.map((generation) => readStream(generation, () => {})));
    const seconds = (performance.now() - start) / 1000;
    const eventLoopMs = performance.eventLoopUtilization(loop).active;
    const collectionMs = sum(collections.takeRecords().map(({ duration }) => duration));
    collections.disconnect();
    const stepMs = results.map(({ timings }) => timings.prefillMs + timings.generateMs + timings.scoreMs);
    const measured = { seconds, stepSeconds: sum(stepMs) / 1000, steps: this.#model.stats().steps - steps };
    return { ...count(results), ...measured, submitMs, eventLoopMs, collectionMs };
  }

  mixed(workload) {
    return runMixedLoad(this.#model, this.#open, workload);
  }

  async turn({ context, candidates, maxTokens, questions, temperature, topK, seed }) {
    const prefix = await this.#model.prefill({ prompt: context });
    const attributes = Object.fromEntries(questions.map((question, index) => [`q${index}`, asLabels(question)]));
    const options = { candidates, maxTokens, temperature, topK, seed, ignoreEos: true, attributes, rank: () => 0 };
    const { candidates: all, usage } = await prefix.winnow(options).result();
    await prefix.close();
    return {
      generatedTokens: usage.generatedTokens,
      evaluatedTokens: prefix.usage.evaluatedPromptTokens + usage.evaluatedPromptTokens,
      scores: sum(all.map(({ answers }) => Object.keys(answers).length)),
    };
  }

  /** Candidates behind every context; those pass whose P(good) reaches the threshold. `every`: also while they are generated. */
  async sift({ contexts, candidates, maxTokens, every, question, threshold, temperature, topK, seed }) {
    const questions = { word: { type: 'labels', ...question } };
    const checks = { every, questions, thresholds: { word: { label: 'good', min: threshold } } };
    const options = { candidates, maxTokens, temperature, topK, seed, ignoreEos: true, attributes: questions };
    const keep = ({ word }) => word.good >= threshold;
    const turns = contexts.map(async (prompt) => {
      const prefix = await this.#model.prefill({ prompt });
      const turn = prefix.winnow({ ...options, keep, rank: () => 0, ...(every && { checks }) });
      const result = await turn.result();
      await prefix.close();
      return { ...result, read: prefix.usage.evaluatedPromptTokens };
    });
    const results = await Promise.all(turns);
    const kept = results.flatMap((result) => result.candidates.filter((candidate) => candidate.kept));
    return {
      kept: kept.length,
      generatedTokens: sum(results.map(({ usage }) => usage.generatedTokens)),
      evaluatedTokens: sum(results.map(({ usage, read }) => usage.evaluatedPromptTokens + read)),
      answerSet: crc32(kept.map(({ candidate, tokenIds }) => [candidate, ...tokenIds].join()).join(';')),
    };
  }

  /** All texts at once: the engine decides how many run. */
  async score({ texts, questions }) {
    const asked = Object.fromEntries(questions.map((question, index) => [`q${index}`, asLabels(question)]));
    const before = this.#model.stats().evaluatedTokens;
    const answers = await Promise.all(texts.map((prompt) => this.#model.classify({ prompt }, asked)));
    const evaluatedTokens = this.#model.stats().evaluatedTokens - before;
    return { evaluatedTokens, scores: sum(answers.map((answer) => Object.keys(answer).length)) };
  }

  /** Each text's choices are the labels of one question without words. */
  async choose({ items }) {
    const before = this.#model.stats().evaluatedTokens;
    const answers = await Promise.all(
      items.map(({ text, choices }) => {
        const labels = Object.fromEntries(choices.map((choice, index) => [`c${index}`, choice]));
        return this.#model.classify({ prompt: text }, { choice: { type: 'labels', suffix: [], labels } });
      }),
    );
    const evaluatedTokens = this.#model.stats().evaluatedTokens - before;
    return { evaluatedTokens, scores: sum(answers.map(({ choice }) => Object.keys(choice.logprobs).length)) };
  }

  /** Through files, and from memory. */
  rows({ filed, remembered }) {
    return runRows(this.#model, { filed, remembered });
  }

  /** log P of each token from `from` on, given all before it. */
  async logprobs({ tokens, from }) {
    const places = tokens
      .slice(from)
      .map((label, index) => ({ suffix: tokens.slice(from, from + index), label: [label] }));
    const questions = Object.fromEntries(places.map((place, index) => [`p${index}`, asLabels(place)]));
    const answers = await this.#model.classify({ prompt: tokens.slice(0, from) }, questions);
    return places.map((_, index) => answers[`p${index}`].logprobs.label);
  }

  /** Of the reference only: the text as every contender gets it. */
  tokenize({ text }) {
    return [...this.#model.tokenize(text)];
  }

  /** Of the reference only: tokens that are no whole characters, which some engines' grammars refuse, and those without text. */
  partialTokens() {
    const tokens = Array.from({ length: this.#model.info.vocabularySize }, (_, token) => token);
    return tokens.filter((token) => /^$|\ufffd/.test(this.#model.detokenize([token])));
  }

  close() {
    return this.#model.close();
  }
}

const greedy = (maxTokens) => ({ maxTokens, temperature: 0, ignoreEos: true });

/** Calls `onToken` with each token as it arrives. */
async function readStream(generation, onToken) {
  for await (const event of generation) if (event.type === 'token') onToken();
  return generation.result();
}

const count = (results) => ({
  generatedTokens: sum(results.map(({ tokens }) => tokens)),
  evaluatedTokens: sum(results.map(({ usage }) => usage.evaluatedPromptTokens)),
});
const sum = (values) => values.reduce((total, value) => total + value, 0);
const asLabels = ({ suffix, label }) => ({ type: 'labels', suffix, labels: { label } });
