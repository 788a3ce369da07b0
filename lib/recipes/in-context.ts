import type { LabelsQuestion, Model, Prefix } from '../index.js';
import { checkArray, checkBoolean, checkEntries, checkFilledText, checkOneOf, checkText } from '../options/checks.js';
import { calibrateLabels } from './formulas/preferences.js';
import { fill } from './prompts.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import type { RecipeWork } from './work.js';

// In-context learning (GPT-3, arXiv 2005.14165) with contextual calibration (Zhao et al., arXiv 2102.09690).

export interface InContextOptions extends RecipeOptions {
  /** What is classified. */
  inputs: readonly string[];
  /** Worked examples, chosen by the caller, in their order; pinned. */
  examples: readonly { input: string; label: string }[];
  /** Name → the word that is read. All labels of the examples must be names. */
  labels: Readonly<Record<string, string>>;
  /** Stands before the examples. @default '' */
  instructions?: string;
  /** Of an example, the label behind it. @default 'Input: {input}\nLabel:' */
  template?: string;
  /** Divide by what the labels have behind inputs without content. @default true */
  calibrate?: boolean;
  /** Inputs without content; the mean over them counts. @default 'N/A', '[MASK]' and '', as published */
  contentFree?: readonly string[];
}

export interface InContextPrediction {
  input: string;
  label: string;
  /** By name; they sum to 1. */
  probabilities: Record<string, number>;
  /** The same without calibration. */
  uncalibrated: Record<string, number>;
}

export interface InContextResult {
  predictions: InContextPrediction[];
}

export type InContextPartial = { type: 'prediction' } & InContextPrediction;

/**
 * Labels inputs by worked examples, which are evaluated once.
 *
 * @example
 * const { predictions } = await inContext(model, { inputs, examples, labels: { good: 'good', bad: 'bad' } }).result();
 */
export function inContext(model: Model, options: InContextOptions): RecipeRun<InContextPartial, InContextResult> {
  const settings = resolve(options);
  return new RecipeRun((run) => predict(run, model, settings), options);
}

type Settings = Required<Omit<InContextOptions, 'seed' | 'signal'>>;

function resolve(options: InContextOptions): Settings {
  const names = ['inputs', 'examples', 'labels', 'instructions', 'template', 'calibrate', 'contentFree'];
  checkRecipeNames(options, names);
  const labels = checkEntries('labels', options.labels, 2, 255, 'labels');
  for (const [name, word] of labels) checkFilledText(`labels.${name}`, word);
  const known = labels.map(([name]) => name);
  const examples = checkArray('examples', options.examples, 0, 1024, 'examples') as InContextOptions['examples'];
  examples.forEach(({ label }, index) => checkOneOf(`examples[${index}].label`, label, known));
  return {
    inputs: checkTexts('inputs', options.inputs),
    examples,
    labels: options.labels,
    instructions: checkText('instructions', options.instructions ?? ''),
    template: checkFilledText('template', options.template ?? 'Input: {input}\nLabel:'),
    calibrate: checkBoolean('calibrate', options.calibrate ?? true),
    contentFree: checkTexts('contentFree', options.contentFree ?? ['N/A', '[MASK]', '']),
  };
}

const checkTexts = (path: string, texts: unknown) =>
  checkArray(path, texts, 1, 100_000, 'texts').map((text, index) => checkText(`${path}[${index}]`, text));

async function predict(run: RecipeWork<InContextPartial>, model: Model, settings: Settings): Promise<InContextResult> {
  const prefix = await run.prefill(model, 'examples', { prompt: examplesOf(settings) });
  const { inputs, contentFree, calibrate } = settings;
  const priors = calibrate
    ? await Promise.all(contentFree.map((text) => askLabels(run, prefix, 'content-free', settings, text)))
    : [];
  const names = Object.keys(settings.labels);
  const named = (values: readonly number[]) => Object.fromEntries(names.map((name, index) => [name, values[index]]));
  const predictions = await Promise.all(
    inputs.map(async (input) => {
      const logprobs = await askLabels(run, prefix, 'inputs', settings, input);
      const probabilities = calibrateLabels(logprobs, priors);
      const label = names[probabilities.indexOf(Math.max(...probabilities))];
      const prediction = {
        input,
        label,
        probabilities: named(probabilities),
        uncalibrated: named(calibrateLabels(logprobs, [])),
      };
      run.emit({ type: 'prediction', ...prediction });
      return prediction;
    }),
  );
  for (const { input, probabilities } of predictions) run.score(input, probabilities);
  return { predictions };
}

function examplesOf({ instructions, examples, template, labels }: Settings): string {
  const shown = examples.map(({ input, label }) => `${fill(template, { input })} ${labels[label]}\n\n`);
  return `${instructions && `${instructions}\n\n`}${shown.join('')}`;
}

/** log P of each label behind the examples and the input. */
async function askLabels(
  run: RecipeWork<InContextPartial>,
  prefix: Prefix,
  stage: string,
  { template, labels }: Settings,
  input: string,
): Promise<number[]> {
  const words = Object.entries(labels).map(([name, word]) => [name, ` ${word}`]);
  const question: LabelsQuestion = {
    type: 'labels',
    suffix: fill(template, { input }),
    labels: Object.fromEntries(words) as Record<string, string>,
  };
  const { label } = await run.classify(prefix, stage, undefined, { label: question });
  return Object.keys(labels).map((name) => label.logprobs[name]);
}
