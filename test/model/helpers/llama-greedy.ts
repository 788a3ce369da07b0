import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { buildTool } from './tool.js';

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

/** llama.cpp's own greedy text behind each prompt, from a program without our engine. */
export async function llamaGreedy(settings: GreedySettings, prompts: number[][]): Promise<GreedyText[]> {
  const { file, threads, contextSize, maxStepTokens, maxTokens } = settings;
  const args = [file, ...[threads, contextSize, maxStepTokens, maxTokens].map(String)];
  const program = run(await buildTool('llama_greedy'), args);
  program.child.stdin!.end(prompts.map((tokens) => tokens.join(' ') + '\n').join(''));
  const { stdout } = await program;
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as GreedyText);
}
