// Runs in a child process of its own: llama.cpp aborts on some malformed vocabularies, and only this process may die of
// it. Gets paths over the IPC channel, answers each with what came of it.
import { loadAddon } from '../addon.js';

export interface VocabularyAnswer {
  error?: { code: string; message: string };
}

function check(path: string): VocabularyAnswer {
  try {
    loadAddon().checkVocabulary(path);
    return {};
  } catch (error) {
    const { code = 'ERR_ENGINE', message } = error as Error & { code?: string };
    return { error: { code, message } };
  }
}

process.on('message', (path: string) => process.send?.(check(path)));
process.on('disconnect', () => process.exit());
