// An upward include must not compile. The compiler is asked, with the very flags that CMake gives each folder.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { addResults, failure, noResults } from './results.mjs';

/** Folder → a header that it may include, and headers that it must not see. */
const cases = [
  { folder: 'kv_cache', down: 'base/types.h', up: ['scheduler/scheduler.h', 'engine/engine.h', 'sampler/sampler.h'] },
  {
    folder: 'scheduler',
    down: 'kv_cache/kv_cache.h',
    up: ['engine/engine.h', 'backend/backend.h', 'scorer/row_readout.h'],
  },
  {
    folder: 'sampler',
    down: 'base/types.h',
    up: ['scorer/row_readout.h', 'text/text_stream.h', 'scheduler/scheduler.h'],
  },
  { folder: 'scorer', down: 'base/types.h', up: ['sampler/sampler.h', 'backend/backend.h'] },
  { folder: 'grammar', down: 'base/types.h', up: ['sampler/sampler.h', 'engine/engine.h'] },
  { folder: 'text', down: 'base/types.h', up: ['sampler/sampler.h', 'engine/engine.h'] },
  { folder: 'engine', down: 'backend/backend.h', up: ['napi.h', 'llama.h', 'ggml.h'] },
];

/** The compiler and the -I, -D, -std… of the first source of cpp/<folder>. */
function compileCommand(commands, folder) {
  const entry = commands.find(
    ({ file }) => file.replaceAll('\\', '/').includes(`/cpp/${folder}/`) && !file.includes('/test/'),
  );
  if (!entry) throw new Error(`compile_commands.json has no file of cpp/${folder}`);
  const words = entry.command.split(' ').filter(Boolean);
  return { compiler: words[0], flags: words.filter((word) => /^-(I|D|std=|isystem)/.test(word)), cwd: entry.directory };
}

function compiles({ compiler, flags, cwd }, header) {
  const args = [...flags, '-fsyntax-only', '-x', 'c++', '-'];
  return spawnSync(compiler, args, { cwd, input: `#include "${header}"\n`, encoding: 'utf8' }).status === 0;
}

function prove(commands, { folder, down, up }) {
  const command = compileCommand(commands, folder);
  // Without this the test could not fail: any wrong flag would make every include fail.
  if (!compiles(command, down)) return failure(`cpp/${folder} must be able to include ${down}`);
  const leaks = up.filter((header) => compiles(command, header));
  return leaks.length ? failure(`cpp/${folder} must not see ${leaks.join(', ')}`) : { ...noResults(), passed: 1 };
}

export async function runLayerProof() {
  const file = inRoot('build', 'dev', 'compile_commands.json');
  if (!existsSync(file)) return failure(`${file} is missing, so that upward includes can't be tried`);
  const commands = JSON.parse(readFileSync(file, 'utf8'));
  return cases.map((one) => prove(commands, one)).reduce(addResults);
}
