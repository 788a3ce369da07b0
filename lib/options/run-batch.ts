import { OptionError } from '../errors.js';
import type { JobFileOptions, ResolvedJobFileOptions } from './batch.js';
import { checkOutput, resolveJobFileOptions } from './batch.js';
import type { Fields } from './checks.js';
import { checkFields, checkInteger, checkNames, checkOneOf, invalid, withDefault } from './checks.js';
import type { GenerationOptions } from './generate.js';
import type { Input } from './input.js';

export const batchRecipeNames = ['generate', 'lamda'] as const;
/** What becomes of a row. */
export type BatchRecipeName = (typeof batchRecipeNames)[number];

const drawingNames = [
  ...(['maxTokens', 'minTokens', 'ignoreEos', 'temperature', 'topK', 'topP', 'minP', 'repetitionPenalty'] as const),
  ...([
    'frequencyPenalty',
    'presencePenalty',
    'penaltyWindow',
    'seed',
    'stop',
    'regex',
    'grammar',
    'choices',
    'schema',
  ] as const),
];
/** How a row's answer is drawn, as for `model.generate()`. */
export type RowDrawing = Pick<GenerationOptions, (typeof drawingNames)[number]>;

export interface RunBatchOptions extends JobFileOptions {
  /**
   * 'rows': rows of ours. 'openai': requests of OpenAI's Batch files, results likewise, those with an error in a file of
   * their own. @default 'rows'
   */
  format?: 'rows' | 'openai';
  /** Of rows. @default 'generate' */
  recipe?: BatchRecipeName;
  /** For rows that say nothing else. `seed` is what every row's own seed is derived from. @default { seed: 0 } */
  drawing?: RowDrawing;
  /** Answers that are drawn for each row, by the recipes that choose among several, 1 to 1,024. @default 16 */
  candidates?: number;
  /** With 'openai': file of the rows with an error. @default `<output>.errors.jsonl` */
  errorOutput?: string;
}

export interface ResolvedRunBatchOptions extends ResolvedJobFileOptions {
  format: 'rows' | 'openai';
  recipe: BatchRecipeName;
  drawing: RowDrawing & { seed: number };
  candidates: number;
  errorOutput?: string;
}

const resultNames = [
  'text',
  'reason',
  'seed',
  'tokens',
  'outcome',
  'scores',
  'rank',
  'failed',
  'kept',
  'response',
  'custom_id',
];

export function resolveRunBatchOptions(options: RunBatchOptions): ResolvedRunBatchOptions {
  const names = ['format', 'recipe', 'drawing', 'candidates', 'errorOutput'];
  const files = resolveJobFileOptions(options, names, resultNames);
  const format = checkOneOf('format', withDefault(options.format, 'rows'), ['rows', 'openai']);
  const drawing = checkFields('drawing', withDefault(options.drawing, {}));
  checkNames('drawing', drawing, drawingNames);
  if (format === 'openai' && options.recipe !== undefined)
    throw invalid('recipe', options.recipe, "left out with format 'openai'");
  return {
    ...files,
    format,
    recipe: checkOneOf('recipe', withDefault(options.recipe, 'generate'), batchRecipeNames),
    drawing: { ...(drawing as RowDrawing), seed: checkInteger('drawing.seed', withDefault(drawing['seed'], 0), 0) },
    candidates: checkInteger('candidates', withDefault(options.candidates, 16), 1, 1024),
    ...resolveErrorOutput(options, format),
  };
}

function resolveErrorOutput({ errorOutput, output, input }: RunBatchOptions, format: 'rows' | 'openai') {
  if (format === 'rows') {
    if (errorOutput === undefined) return {};
    throw invalid('errorOutput', errorOutput, "left out unless format is 'openai'");
  }
  if (output === '-') return {};
  const file = checkOutput(withDefault(errorOutput, `${output}.errors.jsonl`), input);
  if (file === output) throw invalid('errorOutput', file, 'another file than output');
  return { errorOutput: file };
}

/** What a row of ours brings: what is continued or answered, and how, where it says so itself. */
export function resolveBatchRow(fields: Fields): { input: Input; drawing: RowDrawing } {
  const { prompt = null, messages = null } = fields; // Tables have null where there is nothing.
  if ((prompt === null) === (messages === null)) {
    const message = `A row needs either prompt or messages; it has ${prompt === null ? 'neither' : 'both'}`;
    throw new OptionError('ERR_OPTION_VALUE', message, 'prompt', prompt);
  }
  const own = drawingNames.filter((name) => (fields[name] ?? undefined) !== undefined);
  return {
    input: (prompt === null ? { messages } : { prompt }) as Input,
    drawing: Object.fromEntries(own.map((name) => [name, fields[name]])),
  };
}
