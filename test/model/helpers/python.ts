import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { inRoot } from './files.js';

const run = promisify(execFile);
const requirement = 'gguf==0.19.0';

async function findPython(): Promise<string> {
  for (const name of ['python3', 'python']) {
    const found = await run(name, ['--version']).catch(() => undefined);
    if (found?.stdout.startsWith('Python 3')) return name;
  }
  throw new Error('Python 3 is missing: the tests on a real model make GGUF files with it.');
}

/** The gguf package and NumPy, installed once into build/python. */
async function installPackages(python: string): Promise<string> {
  const { stdout } = await run(python, ['-c', 'import sys; print(sys.implementation.cache_tag)']);
  const folder = inRoot('build', 'python', `${requirement.replace('==', '-')}-${stdout.trim()}`);
  if (existsSync(folder)) return folder;
  const part = `${folder}.${process.pid}.part`;
  await mkdir(path.dirname(folder), { recursive: true });
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', part, requirement]);
  await rename(part, folder).catch(() => rm(part, { recursive: true })); // Another test file was first.
  return folder;
}

/** Runs a script of test/support, which may import gguf and numpy. */
export async function runPython(script: string, args: string[]): Promise<void> {
  const python = await findPython();
  const packages = await installPackages(python);
  const env = { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' };
  await run(python, [inRoot('test', 'support', script), ...args], { env });
}
