// Grade-school mathematics (Cobbe et al., arXiv 2110.14168) with a chain of thought (Wei et al., arXiv 2201.11903) and,
// with several samples, self-consistency (Wang et al., arXiv 2203.11171: the answer that most samples end in).
import { rowSeed } from '../../row-seed.js';
import { checkFilledText, invalid } from '../../options/checks.js';
import { majority } from '../formulas.js';
import { proportion } from '../metrics.js';
import type { Task, TaskContext } from '../task.js';

interface Item {
  question: string;
  answer: string;
}

interface Row {
  target: string;
  /** What each sample's text was read as; null = it has no number. */
  parsed: (string | null)[];
  /** Of most samples. */
  answer: string | null;
  texts: string[];
}

/** Examples of our own, for every question. */
const examples = [
  {
    question: 'A shelf holds 4 boxes, and each box holds 6 cups. Tim breaks 5 cups. How many cups are whole?',
    thought: 'There are 4 * 6 = 24 cups. 5 of them are broken, so 24 - 5 = 19 are whole.',
    answer: '19',
  },
  {
    question: 'Ana earns $12 an hour and works 8 hours a day. How much does she earn in 5 days?',
    thought: 'In a day she earns 12 * 8 = 96 dollars. In 5 days she earns 96 * 5 = 480 dollars.',
    answer: '480',
  },
  {
    question: 'A train has 120 seats. Three quarters of them are taken. How many seats are free?',
    thought: 'One quarter of the seats is free. That is 120 / 4 = 30 seats.',
    answer: '30',
  },
  {
    question: 'Lea is twice as old as Max. Together they are 27 years old. How old is Lea?',
    thought:
      'Lea has two parts of the years and Max has one, so one part is 27 / 3 = 9 years. Lea is 2 * 9 = 18 years old.',
    answer: '18',
  },
]
  .map(({ question, thought, answer }) => `Question: ${question}\nAnswer: ${thought} The answer is ${answer}.\n\n`)
  .join('');

export const gsm8k: Task<Item, Row> = {
  read: ({ question, answer }) => ({
    question: checkFilledText('question', question),
    answer: readTarget(checkFilledText('answer', answer)),
  }),
  run: async (item, context) => {
    const texts = await Promise.all(
      Array.from({ length: context.options.samples }, (_, sample) => solve(item, context, sample)),
    );
    const parsed = texts.map(parseAnswer);
    return { target: item.answer, parsed, answer: majority(parsed), texts };
  },
  metrics: {
    accuracy: proportion(({ answer, target }) => answer === target),
    answered: proportion(({ answer }) => answer !== null),
  },
};

async function solve(
  { question }: Item,
  { model, options, seed, signal }: TaskContext,
  sample: number,
): Promise<string> {
  const { maxTokens = 256, temperature = options.samples > 1 ? 0.7 : 0 } = options;
  const prompt = `${examples}Question: ${question}\nAnswer:`;
  const drawing = { maxTokens, temperature, topP: options.topP, seed: rowSeed(seed, sample) };
  const text = await model.generate({ prompt, ...drawing, stop: ['Question:'], signal }).text();
  return text.trim();
}

const number = /(?:(?<!\d)-)?\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?/g;

/** The number behind `####` or `the answer is`, else the last one of the text: without `$`, commas and trailing zeros. */
export function parseAnswer(text: string): string | null {
  const marked = text.split(/####|the answer is/i);
  const [first] = marked.length > 1 ? (marked[1].match(number) ?? []) : [];
  const found = first ?? text.match(number)?.at(-1);
  return found === undefined ? null : plain(found);
}

const plain = (text: string): string => String(Number(text.replace(/[$,]/g, '')));

/** A number, or a worked answer that ends with one. */
function readTarget(answer: string): string {
  const parsed = parseAnswer(answer);
  if (parsed === null) throw invalid('answer', answer, 'a number, or a text that ends with one');
  return parsed;
}
