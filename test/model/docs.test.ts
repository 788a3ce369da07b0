// What docs/ shows is true: its examples run as they stand, and what a user can meet is described.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import * as api from '../../lib/index.js';
import * as recipes from '../../lib/recipes/index.js';
import { inRoot } from './helpers/files.js';

const timeoutMs = 180_000;
// Inside the package, so that 'winnow-llm' is this checkout.
const folder = inRoot('build', 'docs-examples');
const command = inRoot('dist', 'cli', 'main.js');

const readDocument = (name: string) => readFileSync(inRoot(name), 'utf8');

function blocksOf(document: string, language: string): string[] {
  const blocks = readDocument(document).matchAll(new RegExp('```' + language + '\\n([^]*?)```', 'g'));
  return [...blocks].map(([, code]) => code);
}

interface Ended {
  code: number | string | null;
  stdout: string;
  stderr: string;
}

function run(program: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const options = { cwd: folder, timeout: timeoutMs, env: { ...process.env, ...env } };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? error.signal ?? null) : 0, stdout, stderr });
    });
  });
}

/** One process for all examples of a document, one after the other: most of a short one is starting a process. */
function runExamples(name: string, examples: readonly string[]): Promise<Ended> {
  const files = examples.map((code, index) => {
    const file = `${name}-${index + 1}.mjs`;
    writeFileSync(path.join(folder, file), code);
    return file;
  });
  const main = path.join(folder, `${name}.mjs`);
  const steps = files.map((file) => `await import('./${file}');\nconsole.log('${file} ran');\n`);
  writeFileSync(main, steps.join(''));
  return run(process.execPath, [main]);
}

test.before(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
});

const filesOf = (name: string, ending: RegExp) =>
  readdirSync(inRoot(name), { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .map((file) => path.join(name, file));

const documents = filesOf('docs', /\.md$/).filter((name) => blocksOf(name, 'js').length > 0);

for (const document of documents) {
  test.serial(`the examples of ${document} run`, async (t) => {
    t.timeout(timeoutMs);
    const examples = blocksOf(document, 'js');
    const name = path.basename(document, '.md');
    const { code, stdout, stderr } = await runExamples(name, examples);
    t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    t.true(stdout.endsWith(`${name}-${examples.length}.mjs ran\n`));
  });
}

test.serial('the example of README.md runs, with fewer and shorter candidates', async (t) => {
  t.timeout(timeoutMs);
  const [example] = blocksOf('README.md', 'ts').filter((code) => code.includes(" from 'winnow-llm'"));
  const shortened = example.replace(/candidates: \d+/, 'candidates: 2').replace(/maxTokens: \d+/, 'maxTokens: 6');
  t.notDeepEqual(shortened, example);
  const { code, stderr } = await runExamples('README', [shortened]);
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
});

/** A shell function stands for the installed command. */
const shellScript = (block: string) => `set -e\nwinnow() { "$NODE" "$COMMAND" "$@"; }\n${block}`;

for (const block of process.platform === 'win32' ? [] : blocksOf('docs/cli.md', 'sh')) {
  test.serial(`the command of docs/cli.md runs: ${block.trim()}`, async (t) => {
    t.timeout(timeoutMs);
    const environment = { NODE: process.execPath, COMMAND: command };
    const { code, stdout, stderr } = await run('sh', ['-c', shellScript(block)], environment);
    t.is(code, 0, stderr);
    t.not(stdout, '');
  });
}

const commands = [
  ...['turn', 'generate', 'chat', 'score', 'batch', 'recipe', 'eval'],
  ...['pull', 'list', 'remove', 'bench', 'doctor', 'build'],
];
for (const name of commands) {
  test(`docs/cli.md describes every option of winnow ${name}`, async (t) => {
    const { stdout } = await run(process.execPath, [command, name, '--help']);
    const options = [...stdout.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(([, option]) => option);
    const [, section] = readDocument('docs/cli.md').split(`\n## winnow ${name}\n`);
    const described = section.split('\n## ')[0];
    t.deepEqual(
      options.filter((option) => option !== '--help' && !described.includes(`\`${option}`)),
      [],
    );
    t.true(options.length > 1);
    t.regex(described, new RegExp(`\`\`\`sh\\n[^]*winnow ${name}\\b`), 'it has an example, which runs above');
    t.regex(stdout, /Examples?:\n {2}winnow /);
    t.notRegex(stdout, /^ +(?:-\w, )?--[\w-]+(?: <[^>]*>)?$/m, 'every option says what it is');
  });
}

// Known to other code only: they never leave the engine, or the check of a vocabulary.
const innerCodes = new Set(['ERR_ABORTED', 'ERR_CHILD']);

test('docs/api.md and docs/troubleshooting.md name every error code', (t) => {
  const sources = ['lib', 'cpp', 'native'].flatMap((name) => filesOf(name, /\.(ts|cc|h)$/)).map(readDocument);
  const codes = new Set(sources.flatMap((source) => source.match(/(?<=['"])ERR_[A-Z_]+(?=['"])/g) ?? []));
  for (const document of ['docs/api.md', 'docs/troubleshooting.md']) {
    const text = readDocument(document);
    const missing = [...codes].filter((code) => !innerCodes.has(code) && !text.includes(`\`${code}\``));
    t.deepEqual(missing, [], document);
  }
  t.true(codes.size > 20);
});

test('docs/api.md names everything that is exported, and every method', (t) => {
  const text = readDocument('docs/api.md');
  const methods = [api.Model, api.Prefix, api.RequestStream, api.Generation, api.Sampling]
    .flatMap((type) => Object.getOwnPropertyNames(type.prototype))
    .filter((name) => name !== 'constructor');
  const isNamed = (name: string) => new RegExp(`\\b${name}\\b`).test(text);
  t.deepEqual(
    [...Object.keys(api), ...methods].filter((name) => !isNamed(name)),
    [],
  );
});

test('docs/recipes.md names everything that winnow-llm/recipes exports', (t) => {
  const text = readDocument('docs/recipes.md');
  t.deepEqual(
    Object.keys(recipes).filter((name) => !new RegExp(`\\b${name}\\b`).test(text)),
    [],
  );
});

const declarations = [
  'options/load',
  'options/generate',
  'options/input',
  'options/turn',
  'questions/question',
  'native',
]
  .concat(['options/embed', 'options/probes', 'heads'])
  .concat(['candidates', 'generation', 'sampling', 'recipes/turn', 'scoring', 'model', 'capabilities'])
  .map((name) => readDocument(path.join('lib', `${name}.ts`)));
const inner =
  /^export \w+ (?:Resolved|Native(?:Event|Request|Question|LabelScore|Check|Decoding|SavedPrefix|Engine|Addon|ModelInfo))/;

/** Names of the fields of a file's exported types, but for those that only the package itself sees. */
function fieldsOf(source: string): string[] {
  const types = source.split(/\n(?=export )/).filter((part) => /^export (?:interface|type)/.test(part));
  const bodies = types.filter((part) => !inner.test(part)).map((part) => part.split('\n}')[0]);
  return bodies.flatMap((body) => [...body.matchAll(/^ +(\w+)\??: /gm)].map(([, name]) => name));
}

test('docs/api.md names every option and every field', (t) => {
  const text = readDocument('docs/api.md');
  const names = new Set(declarations.flatMap(fieldsOf));
  t.deepEqual(
    [...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(text)),
    [],
  );
  t.true(names.size > 100, `${names.size} names`);
});
