import { checkFilledText } from '../../options/checks.js';
import type { TextLikelihood } from '../formulas.js';
import { bitsPerByte, bytePerplexity, countWords, wordPerplexity } from '../formulas.js';
import type { MetricOf } from '../metrics.js';
import { statistic, sum } from '../metrics.js';
import type { Task } from '../task.js';

interface Row extends TextLikelihood {
  tokens: number;
}

/** Texts of any length in rolling windows, every token scored once; words and bytes are those of the original text. */
export const perplexity: Task<{ text: string }, Row> = {
  read: ({ text }) => ({ text: checkFilledText('text', text) }),
  run: async ({ text }, { model, signal }) => {
    const { logprob, tokens } = await model.perplexity(text, { signal });
    return { logprob, tokens, words: countWords(text), bytes: Buffer.byteLength(text) };
  },
  metrics: {
    wordPerplexity: ofAll(wordPerplexity),
    bytePerplexity: ofAll(bytePerplexity),
    bitsPerByte: ofAll(bitsPerByte),
    tokenPerplexity: ofAll(({ logprob, tokens }) => Math.exp(-logprob / tokens)),
  },
};

/** Of all texts as one. */
function ofAll(formula: (all: Row) => number): MetricOf<Row> {
  return statistic((rows) => {
    const total = (name: keyof Row) => sum(rows.map((row) => row[name]));
    return formula({
      logprob: total('logprob'),
      tokens: total('tokens'),
      words: total('words'),
      bytes: total('bytes'),
    });
  });
}
