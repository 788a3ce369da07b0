// Winnow through its public interface. `kernels` is what sets the two contenders apart.
import { loadModel } from '../../dist/index.js';

export async function openWinnow({ file, threads, shape }, kernels) {
  const model = await loadModel(file, {
    threads,
    gpuLayers: 0,
    kernels,
    contextSize: Math.max(shape.sequenceTokens, 256),
    cacheTokens: shape.sharedTokens + 512,
  });
  return new WinnowSession(model);
}

class WinnowSession {
  #model;

  constructor(model) {
    this.#model = model;
    const { vocabularySize, threads } = model.info;
    this.info = { vocabularySize, threads, kernels: model.info.kernels };
  }

  async generate({ requests, maxTokens, prefixTokens }) {
    const prefix = prefixTokens && (await this.#model.prefill({ prompt: requests[0].slice(0, prefixTokens) }));
    const source = prefix || this.#model;
    const answers = requests.map((prompt) =>
      source.generate({ prompt: prompt.slice(prefixTokens ?? 0), maxTokens, temperature: 0, ignoreEos: true }).result(),
    );
    const results = await Promise.all(answers);
    await prefix?.close?.();
    const usages = [...results, ...(prefix ? [prefix] : [])].map(({ usage }) => usage);
    return {
      generatedTokens: sum(results.map(({ tokens }) => tokens)),
      evaluatedTokens: sum(usages.map(({ evaluatedPromptTokens }) => evaluatedPromptTokens)),
      firstTokenMs: results.map(({ timings }) => timings.firstTokenMs),
    };
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

  /** All texts at once: the engine decides how many run. */
  async score({ texts, questions }) {
    const asked = Object.fromEntries(questions.map((question, index) => [`q${index}`, asLabels(question)]));
    const before = this.#model.stats().evaluatedTokens;
    const answers = await Promise.all(texts.map((prompt) => this.#model.classify({ prompt }, asked)));
    const evaluatedTokens = this.#model.stats().evaluatedTokens - before;
    return { evaluatedTokens, scores: sum(answers.map((answer) => Object.keys(answer).length)) };
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

  close() {
    return this.#model.close();
  }
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
const asLabels = ({ suffix, label }) => ({ type: 'labels', suffix, labels: { label } });
