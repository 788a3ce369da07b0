/** What a tool has found. */
export interface Snippet {
  text: string;
  /** Where it comes from: an address, a title. */
  source?: string;
}

export interface ToolOptions {
  signal: AbortSignal;
}

/** A query in words; what can't be parsed, or isn't known, gives []. The best comes first. */
export type Tool = (
  query: string,
  options: ToolOptions,
) => readonly (string | Snippet)[] | Promise<readonly (string | Snippet)[]>;

/** By their names; asked in this order. */
export type Tools = Readonly<Record<string, Tool>>;

export interface FoundSnippet extends Snippet {
  /** Name of the tool. */
  tool: string;
}

export interface ToolsetAnswer {
  snippets: FoundSnippet[];
  /** Tools that threw, and what. */
  failures: { tool: string; message: string }[];
}

/**
 * LaMDA's toolset (arXiv 2201.08239, section 6.2): every tool is asked, in order, and what they give is concatenated. A tool
 * that throws gives nothing.
 */
export async function askToolset(tools: Tools, query: string, options: ToolOptions): Promise<ToolsetAnswer> {
  const answer: ToolsetAnswer = { snippets: [], failures: [] };
  for (const [tool, ask] of Object.entries(tools)) {
    try {
      const found = await ask(query, options);
      answer.snippets.push(...found.map((one) => ({ tool, ...(typeof one === 'string' ? { text: one } : one) })));
    } catch (error) {
      options.signal.throwIfAborted();
      answer.failures.push({ tool, message: (error as Error)?.message ?? String(error) });
    }
  }
  return answer;
}
