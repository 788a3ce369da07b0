// Long texts: a file of its own, so that nothing else moves the process's peak.
import test from 'ava';
import { evaluate } from '../../lib/eval/index.js';
import { openTinyLlama } from './helpers/tiny.js';

const peakBytes = () => process.resourceUsage().maxRSS * 1024;
const textOf = (tokens: number) => 'lorem ipsum dolor '.repeat(Math.ceil(tokens / 18)).slice(0, tokens);

test('the perplexity of 100,000 tokens takes hardly more memory than that of 10,000', async (t) => {
  t.timeout(300_000);
  const model = await openTinyLlama({ contextSize: 512 });
  const measure = async (tokens: number) => {
    const { rows } = await evaluate(model, [{ text: textOf(tokens) }], { task: 'perplexity' });
    return Number(rows[0].tokens);
  };
  try {
    t.log(`${await measure(10_000)} tokens`);
    const before = peakBytes();
    const tokens = await measure(100_000);
    const growth = (peakBytes() - before) / 2 ** 20;
    t.log(`${tokens} tokens, ${growth.toFixed(1)} MiB more`);
    t.true(tokens >= 90_000);
    t.true(growth < 24, `${growth} MiB`);
  } finally {
    await model.close();
  }
});
