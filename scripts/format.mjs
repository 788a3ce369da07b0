// npm run format          formats TypeScript and JavaScript (prettier) and C++ (clang-format)
// npm run format:check    only says what is not formatted
import { clangFormatCommand, prettierCommand } from './lib/format-commands.mjs';
import { printFailure, runStep } from './lib/step.mjs';
import { installDependencies } from './lib/steps.mjs';

const check = process.argv.includes('--check');
const verb = check ? 'Checking' : 'Formatting';
const advice = 'Run: npm run format';

try {
  await installDependencies();
  await runStep(`${verb} TypeScript and JavaScript`, ...prettierCommand(check), { log: 'prettier', advice });
  await runStep(`${verb} C++`, ...(await clangFormatCommand(check)), { log: 'clang-format', advice });
} catch (error) {
  printFailure(error);
  process.exitCode = 1;
}
