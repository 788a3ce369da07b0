// node scripts/eval-check/serve.mjs MODEL
// A model over stdio, for programs in other languages: one JSON object per line, {id, method, params} in, {id, result} or
// {id, error} out, as they end. Calls run side by side, so send many at once.
import { createInterface } from 'node:readline';
import { loadModel } from '../../dist/index.js';

const model = await loadModel(process.argv[2]);
const { bos, eos } = model.info.specialTokens;

const methods = {
  /** Of no context, continuations follow the token that begins a text. → [[logprob, isGreedy], …] */
  async logLikelihood({ context, continuations }) {
    const prompt = context === '' ? [bos ?? eos] : context;
    const scored = await model.logLikelihood({ prompt }, continuations);
    return scored.map(({ logprob, isGreedy }) => [logprob, isGreedy]);
  },
  /** → Σ log P of the text's tokens */
  rolling: async ({ text }) => (await model.perplexity(text)).logprob,
  /** → text */
  generate: ({ prompt, stop, maxTokens, temperature, seed }) =>
    model.generate({ prompt, stop, maxTokens, temperature, seed }).text(),
  tokenize: async ({ text }) => [...model.tokenize(text)],
};

async function answer(line) {
  const { id, method, params } = JSON.parse(line);
  try {
    if (!Object.hasOwn(methods, method)) throw new Error(`There is no method ${method}`);
    return { id, result: await methods[method](params) };
  } catch (error) {
    return { id, error: { code: error.code ?? 'ERR_CALL', message: error.message } };
  }
}

const open = [];
for await (const line of createInterface({ input: process.stdin }))
  open.push(answer(line).then((reply) => process.stdout.write(`${JSON.stringify(reply)}\n`)));
await Promise.all(open);
await model.close();
