// One case: a scenario at one size, its contenders side by side, A B A B.
import { disagreements } from './agreement.mjs';
import { ContenderProcess, TimeLimitError } from './contender-process.mjs';
import { makeRandom, makeTokenSource } from './random.mjs';
import { makeRows } from './rows.mjs';
import { shapeOf } from './shape.mjs';

const tuningPatience = 1.5; // A configuration that takes this many times the fastest so far is given up.

/**
 * Rows of the case. `setup`: { file, threads, seed, runs, vocabularySize, excluded }; `reference`: { tokens, from, logprobs };
 * `context`: what every row carries; `log`: gets lines of progress.
 */
export async function measureCase({ scenario, size, contenders, setup, reference, context, log }) {
  const work = workloads(scenario, size, setup);
  const started = [];
  try {
    for (const contender of contenders.filter(({ operations }) => operations.includes(scenario.operation))) {
      const refusal = contender.refuses?.(work(1));
      if (refusal) {
        log(`${contender.name} is left out: ${refusal}`);
        continue;
      }
      const ready = await attempt(contender.name, log, () => prepare(contender, work, setup, reference, log));
      if (ready) started.push(ready);
    }
    for (let run = 1; run <= setup.runs; run++) await runAll(started, work(run), run, log);
    const finished = started.filter(({ results }) => results.length === setup.runs);
    await Promise.all(finished.map(addMemory));
    return finished.flatMap((ready) => toRows(ready, { scenario, size, work, reference, context, log }));
  } finally {
    await Promise.all(started.map(({ process }) => process.close()));
  }
}

/** `work(run)`: the workload of a run, different in each; `work.warmUp`: a small one. */
function workloads(scenario, size, { seed, vocabularySize, excluded }) {
  const make = (parameters, run) =>
    scenario.workload(
      parameters,
      makeTokenSource({ seed, run, vocabularySize, excluded }),
      seed * 1000 + run,
      makeRandom(seed * 104729 + run), // Apart from the tokens: their number must not shift it.
    );
  const work = (run) => make(size, run);
  work.warmUp = make(scenario.warmUp(size), 0);
  return work;
}

/** An engine that fails is told of and left out; the others go on. */
async function attempt(name, log, action) {
  try {
    return await action();
  } catch (error) {
    log(`${name} failed and is left out: ${error.message}`);
    return undefined;
  }
}

async function prepare(contender, work, setup, reference, log) {
  const configuration = await chooseConfiguration(contender, work, setup, log);
  const { process, info, loaded } = await start(contender, configuration, work, setup);
  try {
    const logprobs = await process.call('logprobs', { tokens: reference.tokens, from: reference.from });
    return { contender, configuration, info, process, loaded, logprobs, results: [] };
  } catch (error) {
    await process.close();
    throw error;
  }
}

/** A fresh process, loaded and warm, and what it tells of itself. */
async function start(contender, configuration, work, { file, threads }) {
  const process = new ContenderProcess(contender);
  try {
    const info = await process.call('open', { setup: { file, threads, shape: shapeOf(work(0)), configuration } });
    const loaded = await process.call('memory');
    await process.call('run', { workload: work.warmUp });
    return { process, info, loaded };
  } catch (error) {
    await process.close();
    throw error;
  }
}

/** The fastest of the contender's configurations, each tried once on a workload of its own. */
async function chooseConfiguration(contender, work, setup, log) {
  const shape = shapeOf(work(0));
  const { operation, prefixTokens } = work(0);
  const names = contender.configurations({ ...shape, operation, sharesPrefix: prefixTokens > 0 });
  if (names.length === 1) return names[0];
  let best;
  for (const name of names) {
    const seconds = await attempt(`${contender.name} (${name})`, log, () =>
      tryConfiguration(contender, name, work, setup, best && best.seconds * tuningPatience),
    );
    if (seconds === undefined) continue;
    log(`${contender.name}: ${name} takes ${seconds.toFixed(2)} s`);
    if (!best || seconds < best.seconds) best = { name, seconds };
  }
  if (!best) throw new Error('no configuration works');
  return best.name;
}

async function tryConfiguration(contender, name, work, setup, limit) {
  const { process } = await start(contender, name, work, setup);
  try {
    const { seconds } = await process.call('run', { workload: work(0) }, { limitMs: limit && limit * 1000 });
    return seconds;
  } catch (error) {
    if (error instanceof TimeLimitError) return Infinity;
    throw error;
  } finally {
    await process.close();
  }
}

async function runAll(started, workload, run, log) {
  for (const ready of started) {
    if (ready.results.length < run - 1) continue; // It has failed before.
    const result = await attempt(ready.contender.name, log, () => ready.process.call('run', { workload }));
    if (!result) continue;
    ready.results.push(result);
    log(`run ${run}: ${ready.contender.name} ${result.seconds.toFixed(2)} s`);
  }
}

async function addMemory(ready) {
  ready.memory = await ready.process.call('memory');
}

function toRows(ready, { scenario, size, work, reference, context, log }) {
  const { contender, configuration, info, logprobs, results } = ready;
  const reasons = disagreements({
    reference: reference.logprobs,
    logprobs,
    expected: scenario.expected(work(1)),
    results,
  });
  for (const reason of reasons) log(`${contender.name}: outputs differ: ${reason}`);
  const memory = memoryMetrics(ready, scenario);
  return makeRows({
    scenario: scenario.name,
    contender: contender.name,
    size,
    parameters: describeContender(configuration, info),
    context,
    agree: reasons.length === 0,
    runs: results.map((result, index) => ({
      seconds: result.seconds,
      metrics: { ...scenario.metrics(work(index + 1), result), ...memory },
    })),
  });
}

/** 'anonymous' is what nobody shares and no file backs: weights that were repacked, the KV cache, buffers. */
function memoryMetrics({ loaded, memory }, { readsMemory }) {
  const rows = { 'peak-memory': memory.peakBytes };
  if (readsMemory) {
    rows['memory-when-loaded'] = loaded.residentBytes;
    rows['memory-behind-runs'] = memory.residentBytes;
    rows['anonymous-memory-behind-runs'] = memory.anonymousBytes;
  }
  const known = Object.entries(rows).filter(([, bytes]) => bytes !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [name, { value, unit: 'B' }]));
}

function describeContender(configuration, { kernels, version }) {
  return {
    ...(configuration !== 'default' && { configuration }),
    ...(kernels && { kernels }),
    ...(version && { version }),
  };
}
