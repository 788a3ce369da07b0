import { OptionError } from '../errors.js';
import type {
  BooleanQuestion,
  ChoiceQuestion,
  LabelsQuestion,
  Question,
  Questions,
  ScoreQuestion,
} from '../questions/question.js';
import {
  checkArray,
  checkEntries,
  checkFields,
  checkFilledText,
  checkNames,
  checkOneOf,
  checkText,
  checkTokens,
  invalid,
} from './checks.js';

const maxQuestions = 400;
const maxLabels = 255;
const maxLevels = 10;

const questionNames = {
  boolean: ['type', 'instructions', 'template'],
  choice: ['type', 'instructions', 'choices', 'template'],
  score: ['type', 'instructions', 'levels', 'template'],
  labels: ['type', 'suffix', 'labels'],
} as const;

/** The questions with checked texts, in the order of their keys. `path` is their name in messages. */
export function resolveQuestions(
  questions: Questions,
  vocabularySize: number,
  path = 'questions',
): [string, Question][] {
  return checkEntries(path, questions, 1, maxQuestions, 'questions').map(([name, question]) => [
    name,
    resolveQuestion(`${path}.${name}`, question, vocabularySize),
  ]);
}

function resolveQuestion(path: string, question: unknown, vocabularySize: number): Question {
  const fields = checkFields(path, question);
  const type = checkOneOf(`${path}.type`, fields['type'], ['boolean', 'choice', 'score', 'labels']);
  checkNames(path, fields, questionNames[type]);
  if (type === 'labels') return resolveLabels(path, fields as unknown as LabelsQuestion, vocabularySize);
  const asked = {
    instructions: checkFilledText(`${path}.instructions`, fields['instructions']),
    template: resolveTemplate(`${path}.template`, fields['template']),
  };
  if (type === 'choice') return { type, ...asked, choices: resolveChoices(`${path}.choices`, fields['choices']) };
  if (type === 'score') return { type, ...asked, levels: resolveLevels(`${path}.levels`, fields['levels']) };
  return { type, ...asked } satisfies BooleanQuestion;
}

function resolveTemplate(path: string, template: unknown): BooleanQuestion['template'] {
  if (template === undefined || typeof template === 'function') return template as BooleanQuestion['template'];
  if (typeof template === 'string') return checkFilledText(path, template);
  throw invalid(path, template, 'a string with placeholders or a function');
}

function resolveChoices(path: string, choices: unknown): ChoiceQuestion['choices'] {
  const entries = checkEntries(path, choices, 2, maxLabels, 'choices');
  return Object.fromEntries(
    entries.map(([key, text]) => [key, text === null ? null : checkText(`${path}.${key}`, text, 'a string or null')]),
  );
}

function resolveLevels(path: string, levels: unknown): ScoreQuestion['levels'] {
  return checkArray(path, levels, 2, maxLevels, 'levels').map((level, index) =>
    checkFilledText(`${path}[${index}]`, level),
  );
}

function resolveLabels(path: string, question: LabelsQuestion, vocabularySize: number): LabelsQuestion {
  const { suffix } = question;
  const entries = checkEntries(`${path}.labels`, question.labels, 1, maxLabels, 'labels');
  return {
    type: 'labels',
    suffix:
      typeof suffix === 'string'
        ? checkText(`${path}.suffix`, suffix)
        : checkTokens(`${path}.suffix`, suffix, vocabularySize),
    labels: Object.fromEntries(
      entries.map(([key, label]) => [key, resolveLabel(`${path}.labels.${key}`, label, vocabularySize)]),
    ),
  };
}

function resolveLabel(path: string, label: unknown, vocabularySize: number): string | Int32Array {
  if (typeof label === 'string') return checkFilledText(path, label);
  const tokens = checkTokens(path, label, vocabularySize);
  if (tokens.length === 0)
    throw new OptionError('ERR_OPTION_VALUE', `${path} must have at least one token`, path, label);
  return tokens;
}
