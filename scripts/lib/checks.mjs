// What a reader of the code relies on, each counted as one test.
import { checkCppLayers } from './cpp-layers.mjs';
import { clangFormatCommand, prettierCommand } from './format-commands.mjs';
import { checkLibLayers } from './lib-layers.mjs';
import { inRoot } from './paths.mjs';
import { addResults, failure, noResults } from './results.mjs';
import { runStep } from './step.mjs';

const passed = () => ({ ...noResults(), passed: 1 });

async function checkCommand(title, [command, args]) {
  const { code, output } = await runStep(title, command, args, { mayFail: true });
  return code === 0 ? passed() : failure(`${title}\n${output.trimEnd().split('\n').slice(-40).join('\n')}`);
}

function checkLayers(title, violations) {
  return violations.length ? failure(`${title}\n${violations.map((line) => `  ${line}`).join('\n')}`) : passed();
}

/** The type check is the compilation of the tests, which comes before. */
export async function runChecks() {
  const eslint = [process.execPath, [inRoot('node_modules', 'eslint', 'bin', 'eslint.js'), '.']];
  return [
    checkLayers('the includes of cpp/ and native/ follow the dependency table', checkCppLayers()),
    checkLayers('the imports of lib/ follow the dependency table', checkLibLayers()),
    await checkCommand('prettier finds nothing to change', prettierCommand(true)),
    await checkCommand('clang-format finds nothing to change', await clangFormatCommand(true)),
    await checkCommand('eslint finds nothing', eslint),
  ].reduce(addResults);
}
