// npm test                      every suite; the last line is `N passed, N failed`
// npm run test:<suite> [-- …]   one suite, for the inner loop; what follows -- goes to AVA or ctest
import { runAvaSuite } from './lib/ava-suite.mjs';
import { runChecks } from './lib/checks.mjs';
import { runCppSuite, runNeonSuite } from './lib/cpp-suite.mjs';
import { runLayerProof } from './lib/layer-proof.mjs';
import { addResults, failure, noResults, parseTap } from './lib/results.mjs';
import { runLlamaSanitizers } from './lib/sanitizer-suite.mjs';
import { printFailure, runStep } from './lib/step.mjs';
import { benchAddonFile, inRoot, testAddonFile } from './lib/paths.mjs';
import {
  buildAddon,
  buildBenchAddon,
  buildTestAddon,
  buildTests,
  buildTypescript,
  configuredAddonOptions,
  installDependencies,
} from './lib/steps.mjs';
import { runPackSuite } from './lib/pack-suite.mjs';

const buildAddonAsConfigured = () => buildAddon(configuredAddonOptions());

/** name → the steps before it, and the suite. Quick ones first, so that a mistake shows early. */
const suites = {
  check: { prepare: [buildTests], run: () => runChecks() },
  lib: {
    prepare: [buildTypescript, buildTests],
    run: (extra) => runAvaSuite(['lib', 'bench', 'regressions'], { extra }),
  },
  cpp: {
    prepare: [],
    run: async (extra) => addResults(await runCppSuite('dev', extra), await runLayerProof()),
  },
  native: {
    prepare: [buildTypescript, buildTests, buildTestAddon],
    run: (extra) => runAvaSuite(['native'], { extra, env: { WINNOW_ADDON: testAddonFile } }),
  },
  asan: { prepare: [], run: (extra) => runCppSuite('asan', extra) },
  tsan: { prepare: [], run: (extra) => runCppSuite('tsan', extra) },
  model: {
    prepare: [buildAddonAsConfigured, buildTypescript, buildTests],
    run: (extra) => runAvaSuite(['model'], { extra, concurrency: 1 }), // Each engine takes all cores.
  },
  pack: { prepare: [buildAddonAsConfigured, buildTypescript], run: () => runPackSuite() },
};
/** Not part of `npm test`: they need long, or tools that few have. */
const longSuites = {
  'llama-sanitizers': { prepare: [buildTests, buildTypescript], run: () => runLlamaSanitizers() },
  kill: { prepare: [buildAddonAsConfigured, buildTypescript, buildTests, buildBenchAddon], run: () => runKills() },
  neon: { prepare: [], run: (extra) => runNeonSuite(extra) },
  constraints: { prepare: [buildTests, buildTestAddon], run: (extra) => runConstraints(extra) },
};

/** 10,000 cases each of random schemas, structured outputs, grammars and regular expressions; `extra`: see the file. */
async function runConstraints(extra) {
  const ended = await runStep(
    'Trying random constraints',
    process.execPath,
    [inRoot('build', 'test', 'test', 'fuzz', 'constraints.js'), ...extra.filter((argument) => argument !== '--')],
    {
      log: 'constraints',
      mayFail: true,
      env: { WINNOW_ADDON: testAddonFile },
    },
  );
  console.log(ended.stdout.trimEnd());
  return parseTap(ended.stdout, ended.code);
}

/**
 * `kill -9` at 100 random moments of jobs of 5,000 rows of each of the commands over files, ten on the real model, each
 * followed by a restart; and jobs that are stopped for a minute.
 */
async function runKills() {
  const addon = { WINNOW_ADDON: benchAddonFile }; // Of whole runs there are dozens.
  const long = { WINNOW_TEST_KILLS: '100', WINNOW_TEST_KILL_ROWS: '5000', WINNOW_TEST_STOP_MS: '60000' };
  const killed = '*killed again and again*';
  const fake = { extra: ['--match', killed, '--match', '*stopped for a while*'], env: { ...addon, ...long } };
  const real = { extra: ['--match', killed], env: { WINNOW_TEST_KILLS: '10' } };
  return addResults(
    await runAvaSuite(['native'], { ...fake, concurrency: 1 }),
    await runAvaSuite(['model'], { ...real, concurrency: 1 }),
  );
}

const done = new Set();
async function prepare(steps) {
  for (const step of steps) {
    if (!done.has(step)) await step();
    done.add(step);
  }
}

/** Never throws: a suite that can't run is a failure with its reason. */
async function runSuite(name, { prepare: steps, run }, extra) {
  try {
    await prepare(steps);
    return await run(extra);
  } catch (error) {
    printFailure(error);
    return failure(`${name} could not run: ${error.message}`);
  }
}

function report(name, { passed, failed, skipped, failures }) {
  for (const text of failures) console.log(`\n✗ ${name}: ${text}`);
  console.log(`${name}: ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
}

function selectSuites(name) {
  if (!name) return suites;
  const suite = { ...suites, ...longSuites }[name];
  if (suite) return { [name]: suite };
  console.error(`There is no suite '${name}': ${Object.keys({ ...suites, ...longSuites }).join(', ')}`);
  process.exit(2);
}

const [name, ...extra] = process.argv.slice(2);
const selected = selectSuites(name);
let total = noResults();
try {
  await installDependencies();
  for (const [suite, definition] of Object.entries(selected)) {
    const results = await runSuite(suite, definition, extra);
    report(suite, results);
    total = addResults(total, results);
  }
} catch (error) {
  printFailure(error);
  total = addResults(total, failure(error.message));
}
process.exitCode = total.failed ? 1 : 0;
console.log(`${total.passed} passed, ${total.failed} failed`);
