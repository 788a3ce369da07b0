// npm run test:constraints -- [schemas outputs grammars regexes] [--count 10000] [--seed 0]
// Random constraints on the fake backend (WINNOW_ADDON names its addon): a line of TAP for each campaign.
// `outputs --seed S --count 1` runs a case again.
import { parseArgs } from 'node:util';
import { openNative } from '../native/open-native.js';
import type { CampaignName } from '../support/constraints/campaign.js';
import { campaigns, runCampaign } from '../support/constraints/campaign.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '10000' }, seed: { type: 'string', default: '0' } },
});
const count = Number(values.count);
const firstSeed = Number(values.seed);
const names = (positionals.length > 0 ? positionals : Object.keys(campaigns)) as CampaignName[];

// A process that dies has printed the block of seeds that it died in.
function onProgress(done: number, seed: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count}, seed ${seed} `);
  else if (done % 1000 < 8) console.error(`${done} of ${count}, seed ${seed}`);
}

console.log(`1..${names.length}`);
const model = await openNative('fake-eos', { cacheTokens: 4096, maxSequences: 16 });
for (const [index, name] of names.entries()) {
  const start = performance.now();
  const { failures, ...counts } = await runCampaign(model, name, { count, firstSeed, onProgress });
  const seconds = Math.round((performance.now() - start) / 1000);
  const verdict = failures.length > 0 ? 'not ok' : 'ok';
  console.log(`${verdict} ${index + 1} - ${name}: seeds from ${firstSeed}, ${seconds} s, ${JSON.stringify(counts)}`);
  for (const { seed, what } of failures.slice(0, 20)) console.log(`  seed ${seed}: ${what}`);
  if (failures.length > 20) console.log(`  and ${failures.length - 20} more`);
  if (failures.length > 0) process.exitCode = 1;
}
await model.close();
