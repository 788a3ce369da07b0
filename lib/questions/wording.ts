import { OptionError } from '../errors.js';
import { wellFormed } from '../text.js';
import type { LabelsQuestion, Question, ScoreQuestion, WordingParts, WordingTemplate } from './question.js';

// Our own words for the questions that are asked in words, and the labels they are answered with.

export type WordedQuestion = Exclude<Question, LabelsQuestion>;

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * The words that are read. Coded: `A`, `B`, … or, of more than 26, `AA`, `AB`, …: equally long, so that none begins
 * another; `0`, `1`, …. Otherwise the option's own words, or those of the question's `labels`.
 */
export function labelsOf(question: WordedQuestion): string[] {
  if (question.type === 'boolean') return [question.labels?.yes ?? 'Yes', question.labels?.no ?? 'No'];
  if (question.type === 'score') return [...(question.labels ?? levelLabels(question))];
  const names = Object.keys(question.choices);
  const { labels } = question;
  if (labels) return names.map((name) => labels[name]);
  return question.readout === 'content' ? names : letterLabels(names.length);
}

function levelLabels({ levels, readout }: ScoreQuestion): readonly string[] {
  return readout === 'content' ? levels : levels.map((_, level) => String(level));
}

function letterLabels(count: number): string[] {
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
  const isOwnWords = question.readout === 'content' && !question.labels;
  return meanings.map((meaning, index) => `${isOwnWords ? '-' : `${labels[index]}:`} ${meaning}`).join('\n');
}

function choiceLine([name, meaning]: [string, string | null]): string {
  return meaning === null || meaning === '' ? name : `${name} (${meaning})`;
}

function ourWording(question: WordedQuestion, parts: WordingParts): string {
  const { instructions, options } = parts;
  return `${instructions}\n${options === '' ? '' : `\n${options}\n\n`}Reply with ${whatToReply(question, parts)}.`;
}

function whatToReply(question: WordedQuestion, { labels }: WordingParts): string {
  if (question.type === 'boolean')
    return question.labels ? `${labels[0]} or ${labels[1]}` : `one word, ${labels[0]} or ${labels[1]}`;
  if (question.labels || question.readout === 'content') return 'nothing but the words of your choice';
  if (question.type === 'score') return `one digit, 0 to ${labels.length - 1}`;
  return `nothing but the ${labels[0].length === 1 ? 'letter' : 'two letters'} of your choice`;
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
