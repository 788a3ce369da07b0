import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { addonCandidates, AddonLoadError, packageRoot } from '../../lib/addon.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const run = promisify(execFile);
const addonModule = JSON.stringify(new URL('../../lib/addon.js', import.meta.url).href);

/** Loads the addon in a process of its own, since a process keeps the first it has loaded. */
async function loadWith(addon: string, code: string): Promise<string> {
  const script = `const { loadAddon } = await import(${addonModule}); ${code}`;
  const args = ['--input-type=module', '--eval', script];
  return (await run(process.execPath, args, { env: { ...process.env, WINNOW_ADDON: addon } })).stdout.trim();
}
const report =
  'try { loadAddon(); } catch ({ code, attempts, message }) { console.log(JSON.stringify({ code, attempts, message })); }';

test('an addon that is built here comes before one that the package brought', (t) => {
  delete process.env.WINNOW_ADDON;
  const folders = addonCandidates().map((file) => path.relative(packageRoot(), path.dirname(file)));
  t.deepEqual(folders, [path.join('build', 'release'), path.join('prebuilds', `${process.platform}-${process.arch}`)]);
});

test('a missing addon is reported with the path and what to do', async (t) => {
  const addon = path.join(await temporaryFolder(t), 'none.node');
  const error = JSON.parse(await loadWith(addon, report)) as AddonLoadError;
  t.is(error.code, 'ERR_ADDON_LOAD');
  t.deepEqual(error.attempts, [{ path: addon, reason: 'there is no such file' }]);
  t.regex(error.message, /WINNOW_ADDON names this file/);
});

test("an addon that can't be loaded is reported with the loader's reason", async (t) => {
  const addon = path.join(await temporaryFolder(t), 'broken.node');
  await writeFile(addon, 'not a library');
  const { attempts } = JSON.parse(await loadWith(addon, report)) as AddonLoadError;
  t.is(attempts.length, 1);
  t.regex(attempts[0]?.reason ?? '', /broken\.node/);
});

test("a failed assertion of ggml doesn't start a debugger, unless the user says so", async (t) => {
  const addon = path.join(await temporaryFolder(t), 'addon.cjs');
  await writeFile(addon, 'exports.variable = process.env.GGML_NO_BACKTRACE;');
  t.is(await loadWith(addon, 'console.log(loadAddon().variable)'), '1');
});

test('the addon is loaded once per thread', async (t) => {
  const addon = path.join(await temporaryFolder(t), 'addon.cjs');
  await writeFile(addon, 'exports.x = {};');
  t.is(await loadWith(addon, 'console.log(loadAddon() === loadAddon())'), 'true');
});
