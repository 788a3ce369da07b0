// Finds and loads the native addon of this platform, once per thread.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { WinnowError } from './errors.js';
import type { NativeAddon } from './native.js';

export interface LoadAttempt {
  path: string;
  reason: string;
}

/** Code `ERR_ADDON_LOAD`: the native addon could not be loaded. `attempts` lists every file that was tried. */
export class AddonLoadError extends WinnowError {
  override name = 'AddonLoadError';
  readonly attempts: readonly LoadAttempt[];

  constructor(attempts: LoadAttempt[], advice: string, options?: ErrorOptions) {
    const tried = attempts.map(({ path, reason }) => `  ${path}: ${reason}`).join('\n');
    const list = tried && `Tried:\n${tried}\n`;
    super('ERR_ADDON_LOAD', `The native addon could not be loaded on ${platformName}.\n${list}${advice}`, options);
    this.attempts = attempts;
  }
}

const platformName = `${process.platform}-${process.arch}`;

/** The folder of package.json: the module runs from dist/ in the package and from build/test/lib/ in the tests. */
export function packageRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!isOurs(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) return folder;
    folder = parent;
  }
  return folder;
}

/** Of package.json. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

const isOurs = (file: string) =>
  existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'winnow-llm';

/** Files that may be the addon, the first that can be loaded wins. WINNOW_ADDON replaces them all. */
export function addonCandidates(): string[] {
  if (process.env.WINNOW_ADDON) return [path.resolve(process.env.WINNOW_ADDON)];
  const root = packageRoot();
  const cuda = path.join(root, 'build', 'cuda', 'winnow.node');
  return [
    ...(existsSync(cuda) ? [cuda] : []), // Needs libraries that may be missing here: the next one needs none.
    // What someone built here comes before what the package brought.
    path.join(root, 'build', 'release', 'winnow.node'),
    path.join(root, 'prebuilds', platformName, 'winnow.node'),
  ];
}

interface LoadedAddon {
  addon: NativeAddon;
  path: string;
  /** Files that come before it and could not be loaded. */
  passedOver: LoadAttempt[];
}

let loaded: LoadedAddon | undefined;

/** Throws AddonLoadError with everything that was tried and the commands that mend it. */
export function loadAddon(): NativeAddon {
  return (loaded ??= tryCandidates()).addon;
}

/** One line for each file that exists and was passed over for the addon that is loaded. */
export function addonWarnings(): string[] {
  const { path, passedOver } = (loaded ??= tryCandidates());
  return passedOver.map((attempt) => `${attempt.path} could not be loaded (${attempt.reason}): using ${path}.`);
}

function tryCandidates(): LoadedAddon {
  requireProcessor();
  // ggml would start a debugger on a failed assertion. In a worker thread process.env is a copy that native code does
  // not see: a program that loads the addon only in workers sets this variable before it starts them.
  process.env.GGML_NO_BACKTRACE ??= '1';
  const require = createRequire(import.meta.url);
  const attempts: LoadAttempt[] = [];
  let cause: unknown;
  for (const candidate of addonCandidates()) {
    if (!existsSync(candidate)) {
      attempts.push({ path: candidate, reason: 'there is no such file' });
      continue;
    }
    try {
      const addon = require(candidate) as NativeAddon;
      return { addon, path: candidate, passedOver: attempts.filter(({ path }) => existsSync(path)) };
    } catch (error) {
      attempts.push({ path: candidate, reason: (error as Error).message });
      cause = error;
    }
  }
  throw new AddonLoadError(attempts, advice(attempts), { cause });
}

function advice(attempts: LoadAttempt[]): string {
  if (process.env.WINNOW_ADDON) return 'WINNOW_ADDON names this file: correct it, or unset it to use the built addon.';
  const isCheckout = existsSync(path.join(packageRoot(), 'CMakeLists.txt'));
  if (!isCheckout) {
    return (
      `This package holds no addon that works on ${platformName}. Build one from a checkout of the sources:\n` +
      '  npm ci --ignore-scripts && npm run build\n' +
      'and set WINNOW_ADDON to its build/release/winnow.node, or install a package that was packed on such a machine.'
    );
  }
  const isBroken = attempts.some(({ reason }) => !reason.startsWith('there is no'));
  return isBroken ? 'Build it again:\n  rm -rf build/release && npm run build' : 'Build it:\n  npm run build';
}

/** x86-64-v3 beyond what every 64-bit processor has, as Linux spells it. */
const requiredFeatures = ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe'];

/** Without these instructions the process would die, not fail. Only Linux says plainly what it has. */
function requireProcessor(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.env.WINNOW_ADDON) return;
  const features = processorFeatures();
  if (!features) return;
  const missing = requiredFeatures.filter((feature) => !features.has(feature));
  if (missing.length === 0) return;
  throw new AddonLoadError([], `This processor lacks ${missing.join(', ')}: x86-64-v3 (2013 and later) is needed.`);
}

/** Linux's flags of the first processor, or undefined where they can't be read. */
export function processorFeatures(): Set<string> | undefined {
  try {
    const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
    return flags ? new Set(flags.trim().split(/\s+/)) : undefined;
  } catch {
    return undefined;
  }
}
