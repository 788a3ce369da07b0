// Answers calls, one after another, until the lines end.
import { ownMemory } from './process-memory.mjs';

/** `lines`: of JSON, async iterable. `write` gets one line per call. */
export async function serve(contender, lines, write) {
  let session;
  const methods = {
    open: async ({ setup }) => {
      session = await contender.open(setup);
      return session.info;
    },
    run: ({ workload }) => runWorkload(session, workload),
    logprobs: (params) => session.logprobs(params),
    tokenize: (params) => session.tokenize(params),
    partialTokens: () => session.partialTokens(),
    memory: () => session.memory?.() ?? ownMemory(),
  };
  for await (const line of lines) {
    const { id, method, params } = JSON.parse(line);
    try {
      write(JSON.stringify({ id, result: (await methods[method](params)) ?? null }));
    } catch (error) {
      write(JSON.stringify({ id, error: error.stack ?? String(error) }));
    }
  }
  await session?.close();
}

/** Adds the seconds to what the operation counted, unless it took the time itself. */
async function runWorkload(session, workload) {
  const operation = session[workload.operation];
  if (!operation) throw new Error(`cannot do the operation '${workload.operation}'`);
  const start = performance.now();
  const result = await operation.call(session, workload);
  return { seconds: (performance.now() - start) / 1000, ...result };
}
