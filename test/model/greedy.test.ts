// Greedy text against llama.cpp's own loop on the same arithmetic (kernels: 'ggml').
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { loadModel } from '../../lib/index.js';
import type { Model } from '../../lib/index.js';
import { defaultModel } from '../../lib/models/index.js';
import { defaultModelFile } from './helpers/files.js';
import type { GreedyText } from './helpers/llama-greedy.js';
import { llamaGreedy } from './helpers/llama-greedy.js';
import { makeText } from './helpers/words.js';

const settings = { threads: 2, contextSize: 2048, maxStepTokens: 512 };
const maxTokens = 32;

/**
 * Texts may part only where the best token leads by no more than this many logits. llama.cpp's own logits move with
 * what shares the step and with what came from the cache (a rounding difference flips an 8-bit activation): by up to 0.6
 * in a batch of 16. Prompts that begin alike share their first tokens here, also one at a time.
 */
const closeCall = 0.6;

const prompts = [
  'The best way to learn a language is',
  'In the year 1900, the city of Paris',
  'My grandmother always told me that',
  'def fibonacci(n):\n',
  'Q: What is the capital of Italy?\nA:',
  'Once upon a time, in a village by the sea,',
  'The three most important inventions are',
  'To make a good cup of tea, you need',
  '1, 1, 2, 3, 5, 8,',
  'Dear Mr. Brown,\n\nThank you for your letter',
  'The difference between a lake and a pond is',
  'import os\n\nfor name in os.listdir(',
  'She opened the door and saw',
  'Water is made of hydrogen and',
  'The weather report for tomorrow says',
  'A good friend is someone who',
  '<|im_start|>user\nName three colours.<|im_end|>\n<|im_start|>assistant\n',
  '<|im_start|>user\nWhat is a prime number?<|im_end|>\n<|im_start|>assistant\n',
  'Ein Hund und eine Katze',
  makeText(7, 40) + ' In the end,',
];

let model: Model;
let expected: GreedyText[];

test.before(async () => {
  model = await loadModel(defaultModel, { kernels: 'ggml', gpuLayers: 0, ...settings });
  const tokens = prompts.map((prompt) => Array.from(model.tokenize(prompt)));
  expected = await llamaGreedy({ file: await defaultModelFile(), ...settings, maxTokens }, tokens);
});
test.after.always(() => model?.close());

async function generate(prompt: string): Promise<GreedyText> {
  const { tokenIds, reason } = await model.generate({ prompt, maxTokens, temperature: 0 }).result();
  const { end } = model.info.specialTokens;
  return { tokens: tokenIds.filter((token) => !end.includes(token)), gaps: [], ended: reason === 'eos' };
}

/** Where the texts part, in tokens; −1 = nowhere. */
function findParting(ours: GreedyText, theirs: GreedyText): number {
  const length = Math.max(ours.tokens.length, theirs.tokens.length);
  return Array.from({ length }, (_, index) => index).findIndex((index) => ours.tokens[index] !== theirs.tokens[index]);
}

function compare(t: ExecutionContext, texts: GreedyText[]): void {
  for (const [index, ours] of texts.entries()) {
    const theirs = expected[index];
    const place = findParting(ours, theirs);
    if (place < 0) {
      t.is(ours.ended, theirs.ended, prompts[index]);
      continue;
    }
    const gap = theirs.gaps[place] ?? Infinity;
    t.log(`${JSON.stringify(prompts[index].slice(0, 40))} parts at token ${place}, where the best leads by ${gap}`);
    t.true(gap <= closeCall, `parts where the best leads by ${gap} logits`);
  }
}

test.serial('greedy text equals that of llama.cpp, one prompt at a time', async (t) => {
  t.timeout(300_000);
  const texts: GreedyText[] = [];
  for (const prompt of prompts) texts.push(await generate(prompt));
  compare(t, texts);
});

test.serial('greedy text equals that of llama.cpp, 32 requests at a time', async (t) => {
  t.timeout(300_000);
  const others = Array.from({ length: 12 }, (_, index) => makeText(100 + index, 4));
  const texts = await Promise.all([...prompts, ...others].map(generate));
  compare(t, texts.slice(0, prompts.length));
});
