// Which file of lib/ may import which: only what stands in an earlier line, or in its own folder in the same line.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from './paths.mjs';
import { listFiles } from './sources.mjs';

/** From the ground up. A folder stands for its files that have no line of their own. */
const layers = [
  ['errors', 'native', 'text', 'abort', 'row-seed', 'models/progress', 'calibration/calibration'],
  ['event-queue', 'bounded-map', 'candidates', 'capabilities', 'addon', 'options/checks', 'questions/question'],
  ['calibration'],
  ['models', 'recipes/lamda', 'recipes/scores', 'constraint'],
  ['options', 'adapters'],
  ['engine', 'workers'],
  ['chat-template', 'request-stream', 'check-log'],
  ['context', 'generation', 'sampling'],
  ['requests', 'questions', 'prefixes'],
  ['content-free', 'rolling'],
  ['scoring', 'recipes/turn', 'embedding', 'beam'],
  ['heads', 'checks'],
  ['calibrate'],
  ['prefix'],
  ['model'],
  ['index'],
  ['pool', 'openai'],
  ['batch'],
  ['recipes/formulas'],
  ['recipes'],
  ['eval'],
  ['cli'],
];
/** Beyond the order: who alone may know something. */
const exclusive = [
  { text: /createRequire|process\.dlopen/, what: 'loads native code', only: ['addon'] },
  {
    text: /from '(?:node:)?worker_threads'|from 'piscina'/,
    what: 'starts threads',
    only: ['chat-template', 'workers', 'pool'],
  },
];

function layerOf(name) {
  const own = layers.findIndex((line) => line.includes(name));
  return own !== -1 || !name.includes('/') ? own : layerOf(path.posix.dirname(name));
}

const nameOf = (file) => file.replace(/^lib\//, '').replace(/\.(ts|js)$/, '');
const groupOf = (name) => name.split('/')[0];

function checkImport(file, target) {
  const [from, to] = [nameOf(file), nameOf(path.posix.join(path.posix.dirname(file), target))];
  const [upper, lower] = [layerOf(from), layerOf(to)];
  if (upper === -1) return `${file} has no line in scripts/lib/lib-layers.mjs`;
  if (lower === -1) return `${file} imports ${target}, which has no line in scripts/lib/lib-layers.mjs`;
  if (lower < upper || (lower === upper && groupOf(from) === groupOf(to))) return undefined;
  return `${file} imports ${target}: that is not below it`;
}

function checkFile(file) {
  const text = readFileSync(inRoot(file), 'utf8');
  const imports = [...text.matchAll(/(?:from |import\()'(\.[^']*)'/g)].map(([, target]) => checkImport(file, target));
  const name = nameOf(file);
  const secrets = exclusive
    .filter((rule) => rule.text.test(text) && !rule.only.includes(name) && !rule.only.includes(groupOf(name)))
    .map((rule) => `${file} ${rule.what}: only ${rule.only.join(' and ')} may`);
  return [...imports.filter(Boolean), ...secrets];
}

export const checkLibLayers = () => listFiles(['lib'], ['.ts', '.cts']).flatMap(checkFile);
