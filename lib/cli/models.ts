// winnow pull, list and remove: the models in the cache.
import { Command } from 'commander';
import { resolveModel } from '../models/index.js';
import type { InstalledModel } from '../models/installed.js';
import { listModels, removeModel } from '../models/installed.js';
import { exampleLines, runCommand } from './command.js';
import { fetchStatus } from './load.js';
import { megabytes } from './terminal.js';

interface JsonOption {
  json: boolean;
}

const json = ['--json', 'print one line of JSON instead of text', false] as const;

export const pullCommand = new Command('pull')
  .description('fetch a model into the cache and check it')
  .argument('<model>', 'known name, or hf:owner/repo/file.gguf')
  .option(...json)
  .addHelpText('after', exampleLines('pull smollm2-135m', 'pull hf:owner/repo/file.gguf --json'))
  .action((model: string, options: JsonOption) => runCommand((signal) => pull(model, options, signal)));

export const listCommand = new Command('list')
  .description('list the models in the cache')
  .option(...json)
  .addHelpText('after', exampleLines('list', 'list --json'))
  .action((options: JsonOption) => runCommand(() => list(options)));

export const removeCommand = new Command('remove')
  .description('remove a model from the cache')
  .argument('<model>', 'as winnow list names it')
  .option(...json)
  .addHelpText('after', exampleLines('remove smollm2-135m'))
  .action((model: string, options: JsonOption) => runCommand(() => remove(model, options)));

async function pull(source: string, { json }: JsonOption, signal: AbortSignal): Promise<void> {
  const status = fetchStatus(source);
  try {
    const model = await resolveModel(source, {
      signal,
      onProgress: ({ phase, bytes, totalBytes }) => status.update({ phase, loaded: bytes, total: totalBytes || null }),
    });
    status.clear();
    const { paths, bytes, architecture } = model;
    if (json) console.log(JSON.stringify({ source, paths, bytes, architecture }));
    else console.log(`${source} ${megabytes(bytes)} ${paths[0]}`);
  } finally {
    status.clear();
  }
}

async function list({ json }: JsonOption): Promise<void> {
  const models = await listModels();
  if (json) return console.log(JSON.stringify(models));
  if (models.length === 0) return console.error('No models in the cache yet: winnow pull smollm2-135m fetches one.');
  console.log(models.map(describe).join('\n'));
}

async function remove(source: string, { json }: JsonOption): Promise<void> {
  const removed = await removeModel(source);
  console.log(json ? JSON.stringify(removed) : removed.map((model) => `removed ${describe(model)}`).join('\n'));
}

const describe = ({ source, bytes, file }: InstalledModel) => `${source} ${megabytes(bytes)} ${file}`;
