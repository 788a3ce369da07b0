// What a user gets from `npm pack`: the files in the tarball, an installation without install scripts, and the import
// example from an ES module, from CommonJS and inside a worker thread, with types that `tsc --strict` accepts.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inRoot } from './paths.mjs';
import { addResults, failure, noResults } from './results.mjs';
import { runStep } from './step.mjs';

const model = 'smollm2-135m';
const allowedFiles =
  /^(dist\/.*\.(c?js|d\.c?ts|c?js\.map)|prebuilds\/[\w-]+\/winnow\.node|package\.json|README\.md|LICENSE|THIRD_PARTY_NOTICES\.md)$/;
const neededFiles = ['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'LICENSE', 'THIRD_PARTY_NOTICES.md'];

/** The README's first code block that imports the package: what a user copies must run. */
function readmeExample() {
  const blocks = [
    ...readFileSync(inRoot('README.md'), 'utf8').matchAll(/```(?:js|javascript|ts|typescript)\n([\s\S]*?)```/g),
  ];
  return blocks.map(([, code]) => code).find((code) => code.includes(" from 'winnow-llm'"));
}

/** The same example as an ES module, as CommonJS and in a worker thread: only how the package gets in differs. */
function consumersOf(example) {
  const required = example.replaceAll(/^import (.*?) from '(.*?)';$/gm, "const $1 = require('$2');");
  const start = `import { Worker } from 'node:worker_threads';
process.env.GGML_NO_BACKTRACE = '1';
new Worker(new URL('./esm.mjs', import.meta.url));`;
  return {
    'esm.mjs': example,
    'commonjs.cjs': `(async () => {\n${required}\n})();`,
    'worker.mjs': start,
  };
}

const typedConsumer = `import { loadModel, type GenerationResult, OptionError } from 'winnow-llm';
export async function example(signal: AbortSignal): Promise<GenerationResult> {
  await using model = await loadModel('${model}', { contextSize: 512, signal });
  for await (const event of model.generate({ prompt: 'The sky is' })) {
    if (event.type === 'token') process.stdout.write(event.text);
  }
  const prefix = await model.prefill({ messages: [{ role: 'user', content: 'Hello' }] });
  const { sensible } = await prefix.classify({ sensible: { type: 'boolean', instructions: 'Does it make sense?' } });
  const probability: number = sensible.probability;
  // @ts-expect-error The question has another name.
  const { other } = await prefix.classify({ sensible: { type: 'boolean', instructions: 'Does it make sense?' } });
  if (probability > 2) throw new OptionError('ERR_OPTION_VALUE', 'impossible', 'probability', probability);
  return model.generate({ prompt: String(other) }).result();
}`;
const typescriptOptions = {
  strict: true,
  noEmit: true,
  target: 'ES2022',
  lib: ['ES2023', 'ESNext.Disposable'],
  module: 'NodeNext',
  types: ['node'],
  typeRoots: [inRoot('node_modules', '@types')],
};

const passed = () => ({ ...noResults(), passed: 1 });
const npm = () => (process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm']);

async function runNpm(title, args, cwd) {
  const [command, ...prefix] = npm();
  return runStep(title, command, [...prefix, ...args], { cwd, advice: 'The log says why.' });
}

/** Runs npm pack, prepack included. Returns the tarball and what is in it. */
async function pack(folder) {
  const { stdout } = await runNpm('Packing', ['pack', '--json', '--pack-destination', folder], inRoot());
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  return { tarball: path.join(folder, filename), files: files.map((file) => file.path) };
}

function checkFiles(files) {
  const extra = files.filter((file) => !allowedFiles.test(file));
  const prebuilt = `prebuilds/${process.platform}-${process.arch}/winnow.node`;
  const missing = [...neededFiles, prebuilt].filter((file) => !files.includes(file));
  if (extra.length) return failure(`the tarball holds what it should not: ${extra.slice(0, 10).join(', ')}`);
  return missing.length ? failure(`the tarball lacks ${missing.join(', ')}`) : passed();
}

function checkManifest(project) {
  const { scripts = {} } = JSON.parse(
    readFileSync(path.join(project, 'node_modules', 'winnow-llm', 'package.json'), 'utf8'),
  );
  const atInstall = ['preinstall', 'install', 'postinstall'].filter((name) => name in scripts);
  return atInstall.length ? failure(`the package runs ${atInstall.join(', ')} when it is installed`) : passed();
}

/** Offline first: what npm ci has fetched is in npm's own cache. */
async function install(project, tarball) {
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev'];
  await runNpm('Installing the tarball', ['install', ...flags, tarball], project);
  return addResults(passed(), checkManifest(project));
}

async function runConsumer(project, name, code) {
  writeFileSync(path.join(project, name), code);
  const environment = { env: { WINNOW_ADDON: '', NODE_OPTIONS: '' }, cwd: project, mayFail: true };
  const { code: status, output } = await runStep(`Running ${name}`, process.execPath, [name], environment);
  const isWell = status === 0 && output.trim() !== '';
  return isWell ? passed() : failure(`${name} failed:\n${output.trim()}`);
}

async function runTypes(project) {
  writeFileSync(path.join(project, 'typed.mts'), typedConsumer);
  writeFileSync(path.join(project, 'typed.cts'), typedConsumer);
  writeFileSync(
    path.join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: typescriptOptions, files: ['typed.mts', 'typed.cts'] }),
  );
  const compiler = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  const args = [compiler, '-p', project];
  const { code, output } = await runStep('Checking the types', process.execPath, args, { mayFail: true });
  return code === 0 ? passed() : failure(`tsc --strict:\n${output.trim()}`);
}

async function runCommandLine(project) {
  const winnow = path.join(project, 'node_modules', '.bin', process.platform === 'win32' ? 'winnow.cmd' : 'winnow');
  const { code, stdout } = await runStep('Running winnow doctor', winnow, ['doctor', '--json'], { mayFail: true });
  const isWell = code === 0 && JSON.parse(stdout).addon.loaded === true;
  return isWell ? passed() : failure(`winnow doctor ended with ${code}: ${stdout}`);
}

export async function runPackSuite() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'winnow-pack-'));
  try {
    const project = path.join(folder, 'project');
    mkdirSync(project);
    const { tarball, files } = await pack(folder);
    const results = [checkFiles(files), await install(project, tarball)];
    const example = readmeExample();
    if (!example) results.push(failure("README.md has no JavaScript example that imports 'winnow-llm'"));
    for (const [name, code] of Object.entries(example ? consumersOf(example) : {})) {
      results.push(await runConsumer(project, name, code));
    }
    results.push(await runTypes(project), await runCommandLine(project));
    return results.reduce(addResults);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(inRoot('prebuilds'), { recursive: true, force: true });
  }
}
