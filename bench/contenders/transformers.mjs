// Hugging Face Transformers on PyTorch's CPU kernels, weights dequantised to float32: what research code starts from. It has
// no continuous batching for the CPU, and large sizes would take it hours.
import { fileURLToPath } from 'node:url';
import { shapeOf } from '../frame/shape.mjs';
import { environmentPackage, environmentPython, missingUnless } from '../peers.mjs';

const python = environmentPython('transformers');
const mostTokens = 20_000; // Of a run.

const sum = (values) => values.reduce((total, value) => total + value, 0);
const lengths = (lists) => sum(lists.map(({ length }) => length));

const tokensOf = {
  generate: (workload) => shapeOf(workload).sharedTokens,
  score: ({ texts }) => lengths(texts),
  choose: ({ items }) => sum(items.map(({ text, choices }) => text.length + lengths(choices))),
};

export default {
  name: 'transformers',
  isQuick: false,
  operations: ['generate', 'score', 'choose'],
  missing: () => missingUnless(environmentPackage('transformers', 'transformers'), 'transformers'),
  configurations: () => ['one batch'],
  /** Why it is left out of a case; undefined where it is not. */
  refuses: (workload) => {
    const tokens = tokensOf[workload.operation](workload);
    return tokens > mostTokens ? `${tokens} tokens are too many for it, ${mostTokens} are the most` : undefined;
  },
  program: { command: python, args: [fileURLToPath(new URL('transformers_child.py', import.meta.url))] },
};
