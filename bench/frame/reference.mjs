// What all contenders are held against: our own log-probabilities of a fixed text, written for this purpose.
import winnow from '../contenders/winnow.mjs';
import { ContenderProcess } from './contender-process.mjs';

const text =
  'The ferry leaves the island at seven in the morning, when the harbour is still quiet. The captain checks the ropes, ' +
  'looks at the sky and decides whether the crossing will be calm. On most days it is. In winter, however, the wind ' +
  'turns to the north, the waves grow higher than the railing, and the passengers are asked to stay inside until the ' +
  'ship has reached the mainland.';
const mostTokens = 48;
const from = 8; // The first tokens have little before them: they are not compared.

/** Our engine in a process of its own: { tokens, from, logprobs, partialTokens, vocabularySize, threads, kernels }. */
export async function readReference(file, threads) {
  const process = new ContenderProcess(winnow);
  try {
    const shape = { sequences: 1, sequenceTokens: 512, totalTokens: 512, sharedTokens: 2048 };
    const info = await process.call('open', { setup: { file, threads, shape, configuration: 'default' } });
    const tokens = (await process.call('tokenize', { text })).slice(0, mostTokens);
    const logprobs = await process.call('logprobs', { tokens, from });
    const partialTokens = await process.call('partialTokens');
    return { tokens, from, logprobs, partialTokens, ...info };
  } finally {
    await process.close();
  }
}
