import { Template } from '@huggingface/jinja';

// Runs in a worker thread (../chat-template.ts), which ends it when it takes too long or too much memory.

export interface RenderTask {
  template: string;
  variables: Record<string, unknown>;
  /** Characters that the text may have. */
  maxLength: number;
}

/** Failures come back as values: an error's class does not survive the way between threads. */
export type RenderOutcome = { text: string } | { isTooLong: boolean; message: string };

let last: { source: string; template: Template } | undefined;

export default function render(task: RenderTask): RenderOutcome {
  try {
    const text = parse(task.template).render(task.variables);
    if (text.length <= task.maxLength) return { text };
    return { isTooLong: true, message: `it made ${text.length} characters, ${task.maxLength} are allowed` };
  } catch (error) {
    return { isTooLong: false, message: error instanceof Error ? error.message : String(error) };
  }
}

function parse(source: string): Template {
  if (last?.source !== source) last = { source, template: new Template(source) };
  return last.template;
}
