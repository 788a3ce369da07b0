import { Random } from './random.js';

const subjects = [
  'The gardener',
  'A young clerk',
  'My neighbour',
  'The night train',
  'Our old dog',
  'The captain',
  'Nobody',
];
const verbs = ['looked for', 'had forgotten', 'found', 'wrote about', 'was waiting for', 'talked of', 'sold'];
const objects = [
  'the blue door',
  'a letter',
  'seven apples',
  'the river',
  'some music',
  'the last bus',
  'a small lamp',
];
const endings = [
  'in the morning.',
  'before the rain came.',
  'as always.',
  'on the way home.',
  'and smiled.',
  'without a word.',
];

/** Sentences of our own, drawn at random: English enough for a model, and never the same prompt twice. */
export function makeText(seed: number, sentences: number): string {
  const random = new Random(seed);
  const sentence = () => [subjects, verbs, objects, endings].map((words) => random.pick(words)).join(' ');
  return Array.from({ length: sentences }, sentence).join(' ');
}
