import { OptionError } from '../errors.js';
import { wellFormed } from '../text.js';
import type { LabelsQuestion, Question, WordingParts, WordingTemplate } from './question.js';

// Our own words for the questions that are asked in words, and the labels they are answered with.

export type WordedQuestion = Exclude<Question, LabelsQuestion>;

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** `Yes`, `No`; `A`, `B`, … or, of more than 26, `AA`, `AB`, …: equally long, so that none begins another; `0`, `1`, …. */
export function labelsOf(question: WordedQuestion): string[] {
  if (question.type === 'boolean') return ['Yes', 'No'];
  if (question.type === 'score') return question.levels.map((_, level) => String(level));
  const count = Object.keys(question.choices).length;
  return Array.from({ length: count }, (_, index) => (count <= letters.length ? letters[index] : letterPair(index)));
}

function letterPair(index: number): string {
  return letters[Math.floor(index / letters.length)] + letters[index % letters.length];
}

/** What is asked, with the template of the question if it has one. Throws OptionError for a template that gives no text. */
export function wordingOf(question: WordedQuestion, path: string): string {
  const labels = labelsOf(question);
  const parts: WordingParts = { instructions: question.instructions, options: optionLines(question, labels), labels };
  const text = question.template === undefined ? ourWording(question, parts) : fill(question.template, parts, path);
  return text.trim();
}

function optionLines(question: WordedQuestion, labels: readonly string[]): string {
  if (question.type === 'boolean') return '';
  const meanings = question.type === 'score' ? question.levels : Object.entries(question.choices).map(choiceLine);
  return meanings.map((meaning, index) => `${labels[index]}: ${meaning}`).join('\n');
}

function choiceLine([name, meaning]: [string, string | null]): string {
  return meaning === null || meaning === '' ? name : `${name} (${meaning})`;
}

function ourWording(question: WordedQuestion, { instructions, options, labels }: WordingParts): string {
  if (question.type === 'boolean') return `${instructions}\nReply with one word, Yes or No.`;
  if (question.type === 'score')
    return `${instructions}\n\n${options}\n\nReply with one digit, 0 to ${labels.length - 1}.`;
  return `${instructions}\n\n${options}\n\nReply with nothing but the ${labels[0].length === 1 ? 'letter' : 'two letters'} of your choice.`;
}

function fill(template: WordingTemplate, parts: WordingParts, path: string): string {
  const text = typeof template === 'function' ? template(parts) : fillPlaceholders(template, parts);
  if (typeof text === 'string' && text.trim() !== '') return wellFormed(text);
  throw new OptionError('ERR_OPTION_VALUE', `${path}.template must give a non-empty string`, `${path}.template`, text);
}

function fillPlaceholders(template: string, { instructions, options, labels }: WordingParts): string {
  const values: Record<string, string> = { instructions, options, labels: labels.join(', ') };
  return template.replace(/\{(instructions|options|labels)\}/g, (_, name: string) => values[name]);
}
