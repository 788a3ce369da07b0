// Options that several commands have.
import type { Command } from 'commander';
import { defaultModel } from '../models/known.js';
import { parseNumber } from './command.js';

export interface EngineCommandOptions {
  model: string;
  threads?: number;
  json: boolean;
}

export interface DrawingCommandOptions {
  maxTokens: number;
  temperature: number;
  topK: number;
  seed?: number;
}

export const addEngineOptions = (command: Command): Command =>
  command
    .option('--model <model>', 'known name, path of a GGUF file, or hf:owner/repo/file.gguf', defaultModel)
    .option('--threads <n>', 'compute threads at most (default: one per physical core)', parseNumber)
    .option('--json', 'print one line of JSON instead of text', false);

export const addDrawingOptions = (
  command: Command,
  { maxTokens, topK }: Pick<DrawingCommandOptions, 'maxTokens' | 'topK'>,
): Command =>
  command
    .option('--max-tokens <n>', 'longest answer, in tokens', parseNumber, maxTokens)
    .option('--temperature <t>', 'divides the logits; 0 = the likeliest token', parseNumber, 1)
    .option('--top-k <k>', 'draw from the k likeliest tokens; 0 = from all', parseNumber, topK)
    .option('--seed <n>', 'the same seed draws the same (default: random)', parseNumber);
