// The measurements of `winnow bench`: what a model does on this machine, in a few seconds each.
import type { Generation, Model } from '../index.js';

/** Median, least and greatest of the runs. */
export interface Measured {
  value: number;
  min: number;
  max: number;
}

export interface BenchFigures {
  /** Reading one prompt, alone. Tokens/s. */
  prefill: Measured;
  /** Tokens/s of one stream, behind the first. */
  decode: Measured;
  /** Tokens/s of all streams together, behind the first token of each. */
  decodeStreams: Measured;
  /** Questions answered per second on a pinned prefix; null = this model cannot fork. */
  scoring: Measured | null;
}

export interface BenchSizes {
  promptTokens: number;
  maxTokens: number;
  streams: number;
  streamPromptTokens: number;
  questions: number;
  suffixTokens: number;
}

export const benchSizes: BenchSizes = {
  promptTokens: 512,
  maxTokens: 64,
  streams: 32,
  streamPromptTokens: 16, // 32 of them are one step, so that streams decode together from the first token on.
  questions: 64,
  suffixTokens: 4,
};

/** What the sizes need of a model's cache, in tokens: `contextSize` of the longest sequence, `cacheTokens` of all. */
export function roomFor(sizes: BenchSizes): { contextSize: number; cacheTokens: number } {
  const { promptTokens, maxTokens, streams, streamPromptTokens, questions, suffixTokens } = sizes;
  const scoring = promptTokens + questions * (suffixTokens + 1);
  const decoding = streams * (streamPromptTokens + maxTokens);
  return { contextSize: promptTokens + maxTokens + suffixTokens, cacheTokens: Math.max(scoring, decoding) + 512 };
}

type Tokens = (length: number) => number[];

/** `runs` timed ones behind one that is not, each on prompts that no cache knows; `onRun` before each, from 0. */
export async function measureModel(
  model: Model,
  sizes: BenchSizes,
  { runs, signal, onRun }: { runs: number; signal: AbortSignal; onRun?: (run: number) => void },
): Promise<BenchFigures> {
  const tokens = randomTokens(model.info.vocabularySize);
  const measured: Awaited<ReturnType<typeof measureOnce>>[] = [];
  for (let run = 0; run <= runs; run++) {
    onRun?.(run);
    measured.push(await measureOnce(model, sizes, tokens, signal));
  }
  const timed = measured.slice(1);
  const of = (name: 'prefill' | 'decode' | 'decodeStreams') => summarise(timed.map((run) => run[name]));
  const scoring = timed.flatMap((run) => run.scoring ?? []);
  return {
    prefill: of('prefill'),
    decode: of('decode'),
    decodeStreams: of('decodeStreams'),
    scoring: scoring.length ? summarise(scoring) : null,
  };
}

async function measureOnce(model: Model, sizes: BenchSizes, tokens: Tokens, signal: AbortSignal) {
  const { promptTokens, maxTokens, streams, streamPromptTokens } = sizes;
  const answer = (length: number, most: number) =>
    model.generate({ prompt: tokens(length), maxTokens: most, temperature: 0, ignoreEos: true, signal });
  const [read] = await finish([answer(promptTokens, 1)]);
  const alone = await finish([answer(streamPromptTokens, maxTokens)]);
  const together = await finish(Array.from({ length: streams }, () => answer(streamPromptTokens, maxTokens)));
  return {
    prefill: perSecond(promptTokens, read?.timings.prefillMs ?? 0),
    decode: decodeRate(alone),
    decodeStreams: decodeRate(together),
    scoring: model.info.capabilities.fork ? await measureScoring(model, sizes, tokens, signal) : undefined,
  };
}

const finish = (generations: Generation[]) => Promise.all(generations.map((generation) => generation.result()));
type Results = Awaited<ReturnType<typeof finish>>;

/** The first token comes out of the prompt's step. */
function decodeRate(results: Results): number {
  const tokens = sum(results.map(({ usage }) => usage.generatedTokens - 1));
  return perSecond(tokens, sum(results.map(({ timings }) => timings.generateMs)));
}

async function measureScoring(model: Model, sizes: BenchSizes, tokens: Tokens, signal: AbortSignal): Promise<number> {
  const prefix = await model.prefill({ prompt: tokens(sizes.promptTokens), signal });
  try {
    const entries = Array.from(
      { length: sizes.questions },
      (_, index) => [`q${index}`, question(sizes, tokens)] as const,
    );
    const start = performance.now();
    await prefix.classify(Object.fromEntries(entries), { signal });
    return perSecond(sizes.questions, performance.now() - start);
  } finally {
    await prefix.close();
  }
}

const question = ({ suffixTokens }: BenchSizes, tokens: Tokens) =>
  ({ type: 'labels', suffix: tokens(suffixTokens), labels: { yes: tokens(1), no: tokens(1) } }) as const;

const ordinary = 1000; // Ids below it are special tokens and single bytes in the usual vocabularies.

/** Token ids by a fixed seed (linear congruential generator, Numerical Recipes, section 7.1). */
function randomTokens(vocabularySize: number): Tokens {
  let state = 1;
  const range = Math.max(vocabularySize - ordinary, 1);
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return (length) => Array.from({ length }, () => Math.min(ordinary + Math.floor(next() * range), vocabularySize - 1));
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const perSecond = (count: number, ms: number) => (ms > 0 ? (1000 * count) / ms : 0);

function summarise(values: number[]): Measured {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const at = (index: number) => sorted[index] ?? 0;
  const value = sorted.length % 2 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { value, min: at(0), max: at(sorted.length - 1) };
}
