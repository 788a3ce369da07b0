// The two formatters as [title, command, args], to write or to check.
import { clangFormat, installClangFormat } from './clang-format.mjs';
import { inRoot } from './paths.mjs';
import { cppFiles } from './sources.mjs';

const prettierPatterns = ['{lib,test,scripts,bench}/**/*.{ts,mjs,js}', '*.{js,json}', '.prettierrc'];

export function prettierCommand(check) {
  const prettier = inRoot('node_modules', 'prettier', 'bin', 'prettier.cjs');
  const mode = check ? ['--check'] : ['--write', '--log-level', 'warn'];
  return [process.execPath, [prettier, ...mode, '--no-error-on-unmatched-pattern', ...prettierPatterns]];
}

export async function clangFormatCommand(check) {
  await installClangFormat();
  return [clangFormat, [...(check ? ['--dry-run', '--Werror'] : ['-i']), ...cppFiles()]];
}
