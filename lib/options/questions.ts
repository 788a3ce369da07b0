import type { Calibration } from '../calibration/calibration.js';
import { checkCalibration } from '../calibration/check.js';
import { OptionError } from '../errors.js';
import type {
  BooleanQuestion,
  ChoiceQuestion,
  LabelsQuestion,
  Normalization,
  Question,
  Questions,
  Readout,
  ScoreQuestion,
} from '../questions/question.js';
import type { Fields } from './checks.js';
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

const reading = ['normalization', 'contentFree', 'calibration'] as const;
const worded = ['type', 'instructions', 'template', 'labels', ...reading] as const;
const questionNames = {
  boolean: worded,
  choice: [...worded, 'choices', 'readout'],
  score: [...worded, 'levels', 'readout'],
  labels: ['type', 'suffix', 'labels', ...reading],
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
  if (type === 'choice') return { type, ...asked, ...resolveChoiceOptions(path, fields) };
  if (type === 'score') return { type, ...asked, ...resolveScoreOptions(path, fields) };
  const labels = optional(fields['labels'], (value) => resolveNamedLabels(`${path}.labels`, value, ['yes', 'no']));
  const words = labels as BooleanQuestion['labels'];
  return { type, ...asked, labels: words, ...resolveReading(path, fields, 2) } satisfies BooleanQuestion;
}

function resolveChoiceOptions(path: string, fields: Fields): Omit<ChoiceQuestion, 'type' | 'instructions'> {
  const choices = resolveChoices(`${path}.choices`, fields['choices']);
  const names = Object.keys(choices);
  const labels = optional(fields['labels'], (value) => resolveNamedLabels(`${path}.labels`, value, names));
  const readout = resolveReadout(path, fields);
  if (readout === 'content' && !labels) names.forEach((name) => checkFilledText(`a name of ${path}.choices`, name));
  return { choices, labels, readout, ...resolveReading(path, fields, names.length) };
}

function resolveScoreOptions(path: string, fields: Fields): Omit<ScoreQuestion, 'type' | 'instructions'> {
  const levels = resolveLevels(`${path}.levels`, fields['levels']);
  const labels = optional(fields['labels'], (value) =>
    checkArray(`${path}.labels`, value, levels.length, levels.length, 'labels, one per level').map((label, index) =>
      checkFilledText(`${path}.labels[${index}]`, label),
    ),
  );
  return { levels, labels, readout: resolveReadout(path, fields), ...resolveReading(path, fields, levels.length) };
}

function optional<T>(value: unknown, resolve: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : resolve(value);
}

/** One label for each of the names, and no other. */
function resolveNamedLabels(path: string, value: unknown, names: readonly string[]): Record<string, string> {
  const fields = checkFields(path, value);
  checkNames(path, fields, names);
  return Object.fromEntries(names.map((name) => [name, checkFilledText(`${path}.${name}`, fields[name])]));
}

function resolveReadout(path: string, { readout }: Fields): Readout | undefined {
  return optional(readout, (value) => checkOneOf(`${path}.readout`, value, ['coded', 'content']));
}

function resolveReading(path: string, fields: Fields, labels: number) {
  const normalization = optional(fields['normalization'], (value) =>
    checkOneOf<Normalization>(`${path}.normalization`, value, ['sum', 'mean', 'prior']),
  );
  const contentFree = optional(fields['contentFree'], (value) => checkFilledText(`${path}.contentFree`, value));
  if (contentFree !== undefined && normalization !== 'prior')
    throw invalid(`${path}.contentFree`, contentFree, "left out unless normalization is 'prior'");
  const calibration = optional(fields['calibration'], (value) =>
    resolveCalibration(`${path}.calibration`, value, labels),
  );
  return { normalization, contentFree, calibration };
}

function resolveCalibration(path: string, value: unknown, labels: number): Calibration {
  const calibration = checkCalibration(path, value);
  if (calibration.method === 'platt' && labels !== 2)
    throw invalid(path, value, `of method 'temperature' for ${labels} labels (Platt's method is for two)`);
  return calibration;
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
    ...resolveReading(path, checkFields(path, question), entries.length),
  };
}

function resolveLabel(path: string, label: unknown, vocabularySize: number): string | Int32Array {
  if (typeof label === 'string') return checkFilledText(path, label);
  const tokens = checkTokens(path, label, vocabularySize);
  if (tokens.length === 0)
    throw new OptionError('ERR_OPTION_VALUE', `${path} must have at least one token`, path, label);
  return tokens;
}
