// clang-format's output differs between versions, so the pinned one from PyPI formats and checks, on every machine.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { runStep } from './step.mjs';
import { requirePython } from './tools.mjs';

const requirement = 'clang-format==22.1.8';
const folder = inRoot('build', 'python', 'clang-format');
const stamp = inRoot('build', 'python', 'clang-format', 'requirement.txt');
const binary = inRoot('build', 'python', 'clang-format', 'clang_format', 'data', 'bin', 'clang-format');
export const clangFormat = process.platform === 'win32' ? `${binary}.exe` : binary;

/** Into a folder of its own (--target), so that no virtual environment and no write to the system's Python is needed. */
export async function installClangFormat() {
  if (existsSync(clangFormat) && existsSync(stamp) && readFileSync(stamp, 'utf8') === requirement) return;
  const args = ['-m', 'pip', 'install', '--quiet', '--upgrade', '--no-deps', '--target', folder, requirement];
  await runStep(`Installing ${requirement}`, requirePython(), args, {
    advice: 'Check the network and the Python package index in use (pip config list), then run the same command again.',
  });
  writeFileSync(stamp, requirement);
}
