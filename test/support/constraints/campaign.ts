// Constraints at random, on a model of random weights: whatever is asked, the process lives, a refusal says what is wrong
// and where, and what comes out is what was asked for. Each case has its own seed, by which it can be run again.
import { ConstraintError, OptionError, OutputError } from '../../../lib/errors.js';
import type { JsonSchema } from '../../../lib/constraint/constraint.js';
import type { Model } from '../../../lib/model.js';
import type { GenerateOptions } from '../../../lib/options.js';
import { randomGrammar } from './grammars.js';
import { Choices } from './random.js';
import { randomRegex } from './regexes.js';
import { randomSchema } from './schemas.js';
import { findIssue, resolvesIn } from './validate.js';
import { wildSchema } from './wild-schemas.js';

export interface Counts {
  /** Cases that were refused, by code. */
  refused: Record<string, number>;
  /** Answers that ended, and were checked. */
  ended: number;
  /** Answers that maxTokens cut off. */
  cutOff: number;
  /** Answers of a schema whose oneOf matched twice, which value() refused. */
  matchedTwice: number;
  /** Seeds, and what went wrong. */
  failures: { seed: number; what: string }[];
}

/** One kind of case. */
interface Campaign {
  maxTokens: number;
  make: (next: Choices) => Pick<GenerateOptions, 'schema' | 'grammar' | 'regex'>;
  /** What is wrong with a refusal. */
  checkRefusal: (error: unknown, options: Made) => string | undefined;
  /** What is wrong with an answer that ended. */
  checkText: (text: string, options: Made) => string | undefined;
}
type Made = ReturnType<Campaign['make']>;

const namesPointer: Campaign['checkRefusal'] = (error, { schema }) => {
  if (error instanceof OptionError && error.option === 'schema' && !isPlain(schema)) return undefined;
  if (!(error instanceof ConstraintError) || error.code === 'ERR_GRAMMAR') return `not typed: ${describe(error)}`;
  if (!error.message.startsWith('schema#')) return `the message has no place: ${error.message}`;
  return resolvesIn(schema, error.pointer) ? undefined : `there is no ${error.pointer}: ${error.message}`;
};

const namesLine: Campaign['checkRefusal'] = (error, { grammar }) => {
  if (error instanceof OptionError && error.option === 'grammar') return undefined; // Too large, or empty.
  if (!(error instanceof ConstraintError) || error.code !== 'ERR_GRAMMAR') return `not typed: ${describe(error)}`;
  const line = grammar!.split('\n')[error.line! - 1];
  if (line === undefined || !(error.column! <= Buffer.byteLength(line) + 1)) return `no such place: ${error.message}`;
  const place = `Grammar, line ${error.line}, column ${error.column}: `;
  return error.message.startsWith(place) ? undefined : `the message has no place: ${error.message}`;
};

const namesRegex: Campaign['checkRefusal'] = (error) =>
  error instanceof ConstraintError && error.code === 'ERR_REGEX' && error.pointer === 'regex'
    ? undefined
    : `not typed: ${describe(error)}`;

const checkRegex: Campaign['checkText'] = (text, { regex }) => {
  // As JavaScript sees it, whole.
  const { source, flags } = regex instanceof RegExp ? regex : new RegExp(regex!, flagsFor(regex!));
  return new RegExp(`^(?:${source})$`, flags).test(text) ? undefined : `${JSON.stringify(text)} does not match`;
};

const checkSchema: Campaign['checkText'] = (text, { schema }) => findIssue(schema as object, text);
const nothing = () => undefined;

export const campaigns = {
  /** As careless and hostile callers send them. */
  schemas: {
    maxTokens: 24,
    make: (next) => ({ schema: wildSchema(next) as JsonSchema }),
    checkRefusal: namesPointer,
    checkText: checkSchema,
  },
  /** What is supported: for outputs. */
  outputs: {
    maxTokens: 300,
    make: (next) => ({ schema: randomSchema(next) }),
    checkRefusal: namesPointer,
    checkText: checkSchema,
  },
  grammars: {
    maxTokens: 12,
    make: (next) => ({ grammar: randomGrammar(next) }),
    checkRefusal: namesLine,
    checkText: nothing,
  },
  regexes: {
    maxTokens: 60,
    make: (next) => ({ regex: randomRegex(next) }),
    checkRefusal: namesRegex,
    checkText: checkRegex,
  },
} satisfies Record<string, Campaign>;
export type CampaignName = keyof typeof campaigns;

export interface RunOptions {
  /** Answers that are to end, of outputs and regexes; cases of the others. */
  count: number;
  firstSeed: number;
  onProgress?: (done: number, seed: number) => void;
}

const together = 8; // Requests at a time.
const endTexts = ['"', '}', ']', '1', ','];

export async function runCampaign(model: Model, name: CampaignName, options: RunOptions): Promise<Counts> {
  const { count, firstSeed, onProgress } = options;
  const counts: Counts = { refused: {}, ended: 0, cutOff: 0, matchedTwice: 0, failures: [] };
  const countsAnswers = name === 'outputs' || name === 'regexes';
  let seed = firstSeed;
  const done = () => (countsAnswers ? counts.ended + counts.failures.length : seed - firstSeed);
  while (done() < count) {
    const size = Math.min(together, count - done());
    onProgress?.(done(), seed);
    await Promise.all(Array.from({ length: size }, (_, index) => runCase(model, name, seed + index, counts)));
    seed += size;
  }
  return counts;
}

async function runCase(model: Model, name: CampaignName, seed: number, counts: Counts): Promise<void> {
  const campaign: Campaign = campaigns[name];
  const next = new Choices(seed);
  const made = campaign.make(next);
  const fail = (what: string | undefined) => what && counts.failures.push({ seed, what });
  try {
    const generation = model.generate({ prompt: 'x', ...drawing(next, seed), ...made, maxTokens: campaign.maxTokens });
    const { text, reason } = await generation.result();
    if (reason === 'length') return void counts.cutOff++;
    const issue = campaign.checkText(text, made);
    if (issue === 'oneOf' && (await isRefused(generation.value()))) return void counts.matchedTwice++;
    if (issue === undefined) await generation.value();
    counts.ended++;
    fail(issue);
  } catch (error) {
    if (hasMatchedTwice(error)) return void counts.matchedTwice++;
    const issue = campaign.checkRefusal(error, made);
    fail(issue);
    const { code } = error as { code?: string };
    if (issue === undefined) counts.refused[code!] = (counts.refused[code!] ?? 0) + 1;
  }
}

/** Closing characters are likely, so that most answers end; in some cases less so. */
function drawing(next: Choices, seed: number) {
  const bias = next.pick([3, 5, 7]);
  const temperature = next.pick([0.7, 1, 1.5]);
  return { seed, temperature, logitBias: endTexts.map((text) => ({ text, bias })) };
}

/** By formats, which are annotations beside a pattern or in a oneOf. */
const hasMatchedTwice = (error: unknown) =>
  error instanceof OutputError &&
  error.issues.some(({ message }) => message === 'must match exactly one schema in oneOf');

async function isRefused(value: Promise<unknown>): Promise<boolean> {
  return value.then(
    () => false,
    (error) => error instanceof OutputError,
  );
}

function flagsFor(source: string): string {
  try {
    new RegExp(source, 'u');
    return 'u';
  } catch {
    return '';
  }
}

const isPlain = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

function describe(error: unknown): string {
  return error instanceof Error
    ? `${error.name}: ${error.message.slice(0, 300)} ${error.stack?.split('\n')[1]}`
    : String(error);
}
