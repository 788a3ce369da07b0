import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inRoot } from './files.js';

const run = promisify(execFile);

export interface GreedyText {
  /** Without the end token. */
  tokens: number[];
  /** Lead of each token over the second best, in logits. */
  gaps: number[];
  /** The model ended it. */
  ended: boolean;
}

export interface GreedySettings {
  file: string;
  threads: number;
  contextSize: number;
  maxStepTokens: number;
  maxTokens: number;
}

async function buildLlamaGreedy(): Promise<string> {
  const folder = inRoot('build', 'release');
  await run('cmake', ['--build', folder, '--target', 'llama_greedy', '--config', 'Release']);
  return inRoot('build', 'release', 'tools', process.platform === 'win32' ? 'llama_greedy.exe' : 'llama_greedy');
}

/** llama.cpp's own greedy text behind each prompt, from a program without our engine. */
export async function llamaGreedy(settings: GreedySettings, prompts: number[][]): Promise<GreedyText[]> {
  const { file, threads, contextSize, maxStepTokens, maxTokens } = settings;
  const args = [file, ...[threads, contextSize, maxStepTokens, maxTokens].map(String)];
  const program = run(await buildLlamaGreedy(), args);
  program.child.stdin!.end(prompts.map((tokens) => tokens.join(' ') + '\n').join(''));
  const { stdout } = await program;
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as GreedyText);
}
