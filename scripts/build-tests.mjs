// Compiles lib/ and test/ to build/test. Output whose source is gone is removed first: AVA would go on running it.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const output = path.join(root, 'build', 'test');

export function removeOrphans() {
  if (!existsSync(output)) return;
  for (const file of readdirSync(output, { recursive: true })) {
    if (file.endsWith('.js') && !existsSync(path.join(root, file.replace(/\.js$/, '.ts')))) {
      rmSync(path.join(output, file));
      rmSync(path.join(output, `${file}.map`), { force: true });
    }
  }
}

removeOrphans();
try {
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '-p', path.join(root, 'tsconfig.json')], { stdio: 'inherit' });
} catch (error) {
  process.exitCode = error.status || 1; // The compiler has printed why.
}
