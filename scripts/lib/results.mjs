// Counts of passed and failed tests, read from the machine-readable outputs of AVA (TAP) and ctest (JUnit).

/** @returns {{passed: number, failed: number, skipped: number, failures: string[]}} */
export const noResults = () => ({ passed: 0, failed: 0, skipped: 0, failures: [] });

export function addResults(sum, more) {
  return {
    passed: sum.passed + more.passed,
    failed: sum.failed + more.failed,
    skipped: sum.skipped + more.skipped,
    failures: [...sum.failures, ...more.failures],
  };
}

export const failure = (reason) => ({ ...noResults(), failed: 1, failures: [reason] });

/** A run that ended badly without a failed test in it is itself a failure: it stopped before it could report. */
function requireVerdict(results, exitCode, what) {
  if (results.failed === 0 && exitCode !== 0)
    return addResults(results, failure(`${what} ended with status ${exitCode}`));
  if (results.passed + results.failed === 0) return addResults(results, failure(`${what} ran no test`));
  return results;
}

/** One entry per test; a failed one carries the indented block that follows it. Child tests don't exist in AVA. */
export function parseTap(text, exitCode) {
  const results = noResults();
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    const match = /^(not )?ok \d+(?: - )?(.*)$/.exec(line);
    if (!match) return;
    const [, not, title] = match;
    if (/# (SKIP|TODO)/i.test(title)) results.skipped++;
    else if (!not) results.passed++;
    else {
      const end = lines.findIndex((later, at) => at > index && !/^\s+/.test(later));
      results.failed++;
      results.failures.push([title, ...lines.slice(index + 1, end === -1 ? undefined : end)].join('\n'));
    }
  });
  if (!/^1\.\.\d+$/m.test(text)) return addResults(results, failure('AVA was cut short: its output has no plan line'));
  return requireVerdict(results, exitCode, 'AVA');
}

const attribute = (tag, name) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
const entities = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
const unescapeXml = (text) => text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name) => entities[name]);

export function parseJunit(xml, exitCode) {
  const results = noResults();
  for (const [, tag, body] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const status = attribute(tag, 'status');
    if (status === 'run') results.passed++;
    else if (status === 'disabled' || status === 'notrun') results.skipped++;
    else {
      const log = /<system-out>([\s\S]*?)<\/system-out>/.exec(body ?? '')?.[1] ?? '';
      results.failed++;
      results.failures.push(`${attribute(tag, 'name')}\n${unescapeXml(log).trimEnd()}`);
    }
  }
  return requireVerdict(results, exitCode, 'ctest');
}
