import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
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
  const folders = addonCandidates()
    .map((file) => path.relative(packageRoot(), path.dirname(file)))
    .filter((folder) => folder !== path.join('build', 'cuda'));
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

/** A package folder of its own: the candidates are looked for beside the package.json that is found first. */
async function packageWith(t: ExecutionContext, addons: Record<string, string>): Promise<string> {
  const root = await temporaryFolder(t);
  await cp(fileURLToPath(new URL('../../lib', import.meta.url)), path.join(root, 'lib'), { recursive: true });
  await writeFile(path.join(root, 'package.json'), JSON.stringify({ name: 'winnow-llm', type: 'module' }));
  for (const [folder, content] of Object.entries(addons)) {
    await mkdir(path.join(root, folder), { recursive: true });
    await writeFile(path.join(root, folder, 'winnow.node'), content);
  }
  return root;
}

test('an addon with CUDA whose libraries are missing gives way to the one without, and is named', async (t) => {
  const root = await packageWith(t, {
    [path.join('build', 'cuda')]: 'no library',
    [path.join('build', 'release')]: '',
  });
  const module = JSON.stringify(pathToFileURL(path.join(root, 'lib', 'addon.js')).href);
  // Node loads a `.node` file by dlopen alone: here the one that works is any module.
  const script = `import Module from 'node:module';
    const load = Module._extensions['.node'];
    Module._extensions['.node'] = (m, file) => file.includes('release') ? (m.exports = { works: true }) : load(m, file);
    const { loadAddon, addonWarnings } = await import(${module});
    console.log(JSON.stringify({ addon: loadAddon(), warnings: addonWarnings() }));`;
  const env = { ...process.env };
  delete env['WINNOW_ADDON'];
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { env });
  const { addon, warnings } = JSON.parse(stdout) as { addon: unknown; warnings: string[] };
  t.deepEqual(addon, { works: true });
  t.is(warnings.length, 1);
  t.regex(warnings[0] ?? '', /build.cuda.winnow\.node could not be loaded .*using .*build.release.winnow\.node/s);
});

test('the addon is loaded once per thread', async (t) => {
  const addon = path.join(await temporaryFolder(t), 'addon.cjs');
  await writeFile(addon, 'exports.x = {};');
  t.is(await loadWith(addon, 'console.log(loadAddon() === loadAddon())'), 'true');
});
