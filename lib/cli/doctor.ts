// winnow doctor: what this machine, the addon and the cache are like, and what to do about it.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { addonCandidates, addonWarnings, loadAddon, processorFeatures } from '../addon.js';
import { defaultCacheFolder } from '../models/cache.js';
import { defaultModel, knownModels } from '../models/known.js';
import { exampleLines, exitCodes, runCommand } from './command.js';
import { megabytes, painter } from './terminal.js';

interface Report {
  platform: string;
  node: string;
  processor: { model: string; threads: number; features: string[] };
  memory: { totalBytes: number; freeBytes: number };
  addon: { loaded: boolean; candidates: string[]; build: Record<string, string>; warnings: string[]; error?: string };
  /** GPUs that the addon can use: names with their memory. */
  devices: Record<string, string>;
  cache: { folder: string; models: { name: string; bytes: number }[]; totalBytes: number };
  pip: boolean;
  advice: string[];
}

export const doctorCommand = new Command('doctor')
  .description('check this machine, the addon and the model cache, and say what to do')
  .option('--json', 'print one line of JSON instead of text', false)
  .addHelpText('after', exampleLines('doctor', 'doctor --json'))
  .action(({ json }: { json: boolean }) => runCommand(async () => doctor(json)));

function doctor(json: boolean): void {
  const report = examine();
  console.log(json ? JSON.stringify(report) : describe(report));
  if (!report.addon.loaded) process.exitCode = exitCodes.error;
}

function examine(): Report {
  const facts = {
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    processor: examineProcessor(),
    memory: { totalBytes: os.totalmem(), freeBytes: os.freemem() },
    ...examineAddon(),
    cache: examineCache(),
    pip: ['python3', 'python'].some((python) => spawnSync(python, ['-m', 'pip', '--version']).status === 0),
  };
  return { ...facts, advice: advise(facts) };
}

/** The extensions that decide which kernels can run. */
const notable =
  /^(avx|avx2|avx_vnni|avx512(f|bw|vl|_vnni|_bf16)|amx_(int8|bf16|tile)|f16c|fma|asimddp|i8mm|sve|sve2|bf16)$/;

function examineProcessor(): Report['processor'] {
  const features = [...(processorFeatures() ?? [])].filter((feature) => notable.test(feature));
  return { model: os.cpus()[0]?.model.trim() ?? 'unknown', threads: os.availableParallelism(), features };
}

const deviceKey = /^gpu /;

function examineAddon(): Pick<Report, 'addon' | 'devices'> {
  const candidates = addonCandidates();
  try {
    const facts = Object.entries(loadAddon().buildInfo());
    const [devices, build] = [true, false].map((isDevice) =>
      Object.fromEntries(facts.filter(([name]) => deviceKey.test(name) === isDevice)),
    ) as [Record<string, string>, Record<string, string>];
    return { addon: { loaded: true, candidates, build, warnings: addonWarnings() }, devices };
  } catch (error) {
    return {
      addon: { loaded: false, candidates, build: {}, warnings: [], error: (error as Error).message },
      devices: {},
    };
  }
}

function examineCache(): Report['cache'] {
  const folder = defaultCacheFolder();
  const models = Object.values(knownModels).flatMap(({ name, file }) => {
    const bytes = sizeOf(path.join(folder, 'models', name, file));
    return bytes === undefined ? [] : [{ name, bytes }];
  });
  return { folder, models, totalBytes: totalSize(folder) };
}

const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size;

function totalSize(folder: string): number {
  try {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return files.reduce((sum, { parentPath, name }) => sum + (sizeOf(path.join(parentPath, name)) ?? 0), 0);
  } catch {
    return 0; // There is no cache yet.
  }
}

const lowMemoryBytes = 1e9;

function advise({ addon, cache, pip, memory }: Omit<Report, 'advice'>): string[] {
  const advice: string[] = [];
  if (addon.error) advice.push(addon.error);
  advice.push(...addon.warnings);
  const hasDefault = cache.models.some(({ name }) => name === defaultModel);
  if (!hasDefault && !pip)
    advice.push(`pip is missing: it fetches ${defaultModel}. Debian: sudo apt-get install -y python3-pip`);
  if (!hasDefault && pip) advice.push(`${defaultModel} will be downloaded when it is first used.`);
  if (memory.freeBytes < lowMemoryBytes) advice.push(`Only ${megabytes(memory.freeBytes)} of memory are free.`);
  return advice;
}

function describe(report: Report): string {
  const paint = painter(process.stdout);
  const { processor, memory, addon, cache, advice } = report;
  const build = Object.entries(addon.build).map(([name, value]) => `${name} ${value}`);
  const devices = Object.entries(report.devices).map(([name, value]) => `${name.replace(deviceKey, '')}: ${value}`);
  const models = cache.models.map(({ name, bytes }) => `${name} (${megabytes(bytes)})`);
  const rows: [string, string][] = [
    ['platform', `${report.platform}, Node ${report.node}`],
    ['processor', `${processor.model}, ${processor.threads} threads`],
    ['features', processor.features.join(' ') || 'not known'],
    ['memory', `${megabytes(memory.freeBytes)} free of ${megabytes(memory.totalBytes)}`],
    ['addon', addon.loaded ? paint('green', 'loads') : paint('red', 'does not load')],
    ['build', build.join(', ') || 'not known'],
    ['devices', devices.join('; ') || 'no GPU: models run on the CPU'],
    ['cache', `${cache.folder} (${megabytes(cache.totalBytes)})`],
    ['models', models.join(', ') || 'none yet'],
    ['pip', report.pip ? 'there' : 'missing'],
  ];
  const table = rows.map(([name, value]) => `${name.padEnd(10)} ${value}`);
  return [...table, '', ...(advice.length ? advice : [paint('green', 'Everything is in order.')])].join('\n');
}
