// bench/ is plain JavaScript: what the tests use of it is typed here.

export interface Row {
  scenario: string;
  contender: string;
  metric: string;
  value: number;
  min: number;
  max: number;
  runs: number;
  unit: string;
  outputsAgree: boolean;
  [parameter: string]: unknown;
}
export type Size = Record<string, number>;
export type Counts = Record<string, { least: number; most: number }>;
type Tokens = (length: number) => number[];
export interface Scenario {
  name: string;
  operation: string;
  sizes: Size[];
  quickSizes: Size[];
  workload: (size: Size, tokens: Tokens, seed: number, random: () => number) => { operation: string };
  warmUp: (size: Size) => Size;
  expected: (workload: unknown) => Counts;
  metrics: (workload: unknown, result: object) => Record<string, { value: number; unit: string }>;
}

/** The exports of files of bench/ together. */
export async function loadBench<Exports>(...files: string[]): Promise<Exports> {
  const modules = files.map((file) => import(new URL(`../../../../bench/${file}`, import.meta.url).href));
  return Object.assign({}, ...((await Promise.all(modules)) as object[])) as Exports;
}

interface Random {
  makeRandom: (seed: number) => () => number;
  makeTokenSource: (given: { seed: number; run: number; vocabularySize: number }) => Tokens;
}
const { scenarios } = await loadBench<{ scenarios: Scenario[] }>('scenarios/index.mjs');
const random = await loadBench<Random>('frame/random.mjs');

export { scenarios };
export const scenarioNamed = (name: string): Scenario => scenarios.find((scenario) => scenario.name === name)!;

/** What an engine is given in that run. */
export const makeWorkload = (scenario: Scenario, size: Size, run: number): { operation: string } =>
  scenario.workload(size, random.makeTokenSource({ seed: 1, run, vocabularySize: 5000 }), 1, random.makeRandom(run));
