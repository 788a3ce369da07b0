// Multiple choice as evaluation suites ask it: the log-likelihood of each continuation of a text, of several tokens each.
import { evaluated, exactly } from '../frame/agreement.mjs';
import { evaluationMetrics } from './common.mjs';

export default {
  name: 'score-continuations',
  isQuick: false,
  operation: 'choose',
  sizes: [{ texts: 100, textTokens: 128, choices: 4, choiceTokens: 8 }],
  quickSizes: [{ texts: 4, textTokens: 32, choices: 4, choiceTokens: 4 }],

  workload({ texts, textTokens, choices, choiceTokens }, tokens) {
    const makeChoices = () => Array.from({ length: choices }, () => tokens(choiceTokens));
    const items = Array.from({ length: texts }, () => ({ text: tokens(textTokens), choices: makeChoices() }));
    return { operation: 'choose', items };
  },
  warmUp: (size) => ({ ...size, texts: Math.min(2, size.texts) }),

  expected({ items }) {
    const { shared, most } = items
      .map(countTokens)
      .reduce((a, b) => ({ shared: a.shared + b.shared, most: a.most + b.most }));
    return { scores: exactly(items.length * items[0].choices.length), evaluatedTokens: evaluated(shared, most) };
  },
  metrics: ({ items }, result) => ({
    'texts-per-second': { value: items.length / result.seconds, unit: 'texts/s' },
    ...evaluationMetrics(result),
  }),
};

/** A choice's last token is read, not evaluated, by those who know how; at most all is evaluated, and one token drawn. */
function countTokens({ text, choices }) {
  const inner = choices.map((choice, index) => choice.length - 1 - commonLength(choice, choices.slice(0, index)));
  const all = choices.map((choice) => text.length + choice.length + 1);
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  return { shared: text.length + sum(inner), most: sum(all) };
}

/** Inner tokens of a choice that an earlier one begins with, too: they may be evaluated once. */
function commonLength(choice, earlier) {
  const lengths = earlier.map((other) => choice.findIndex((token, index) => token !== other[index]));
  return Math.min(Math.max(0, ...lengths.map((length) => (length < 0 ? choice.length : length))), choice.length - 1);
}
