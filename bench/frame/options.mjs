// The options of `npm run bench`.
import { parseArgs } from 'node:util';

export class UsageError extends Error {}

export const usage = `npm run bench -- [options]

  --scenario a,b      which scenarios                  (default: all; with --quick: the first four)
  --contender a,b     which engines                    (default: all that are installed; with --quick: three)
  --model <model>     name or path of a GGUF file      (default: the default model)
  --threads <n>       compute threads of each engine   (default: one per physical core)
  --runs <n>          timed runs, interleaved          (default: 5; with --quick: 1)
  --seed <n>          of the prompts and the sampling  (default: 1)
  --size a=1,b=2:4:8  replaces these parameters of each scenario's first size; several values: several sizes
  --quick             smaller sizes, one run, under five minutes
  --plots <folder>    also SVG plots of the rows
  --report rows.jsonl table and plots of what --json printed before; nothing is measured
  --json              only JSON lines on standard output
  --compare old.json  what changed since, with the noise; exit status 1 where something became slower
  --list              the scenarios and contenders, and which of them are installed`;

const definitions = {
  scenario: { type: 'string' },
  contender: { type: 'string' },
  model: { type: 'string' },
  threads: { type: 'string' },
  runs: { type: 'string' },
  seed: { type: 'string', default: '1' },
  size: { type: 'string' },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  compare: { type: 'string' },
  plots: { type: 'string' },
  report: { type: 'string' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

/** `known`: the names of the scenarios and contenders, `{ scenario, contender }`, each with `{ name, isQuick }`. */
export function parseOptions(args, known) {
  const values = parse(args);
  const number = (name, least) => (values[name] === undefined ? undefined : toInteger(name, values[name], least));
  return {
    ...values,
    scenarios: selectNames('scenario', values, known.scenario),
    contenders: selectNames('contender', values, known.contender),
    threads: number('threads', 1),
    runs: number('runs', 1) ?? (values.quick ? 1 : 5),
    seed: number('seed', 0),
    size: parseSize(values.size),
  };
}

function parse(args) {
  try {
    return parseArgs({ args, options: definitions }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function selectNames(option, values, known) {
  const names = known.map(({ name }) => name);
  const text = values[option];
  if (text === undefined) return known.filter(({ isQuick }) => isQuick || !values.quick).map(({ name }) => name);
  const chosen = [...new Set(text.split(',').map((name) => name.trim()))];
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`There is no ${option} '${unknown}'. There are: ${names.join(', ')}`);
  return chosen;
}

function toInteger(name, text, least) {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${name} must be an integer of at least ${least}, got '${text}'`);
}

function parseSize(text) {
  if (text === undefined) return undefined;
  const pairs = text.split(',').map((pair) => pair.split('='));
  const toIntegers = (name, value) => value.split(':').map((one) => toInteger(`size ${name}`, one, 1));
  return Object.fromEntries(pairs.map(([name, value = '']) => [name.trim(), toIntegers(name, value)]));
}

/** The sizes of a scenario, with the parameters that --size replaces: all combinations of their values. */
export function selectSizes(scenario, { quick, size }) {
  const sizes = quick ? scenario.quickSizes : scenario.sizes;
  if (!size) return sizes;
  const unknown = Object.keys(size).find((name) => !(name in sizes[0]));
  if (unknown === undefined) return combinations(sizes[0], Object.entries(size));
  const names = Object.keys(sizes[0]).join(', ');
  throw new UsageError(`Scenario '${scenario.name}' has no size '${unknown}'. It has: ${names}`);
}

function combinations(size, [first, ...others]) {
  if (!first) return [size];
  const [name, values] = first;
  return values.flatMap((value) => combinations({ ...size, [name]: value }, others));
}
