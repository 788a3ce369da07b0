import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inRoot } from './files.js';

/** Builds a program of test/cpp/model beside the addon; resolves to its file. */
export async function buildTool(name: string): Promise<string> {
  const folder = inRoot('build', 'release');
  await promisify(execFile)('cmake', ['--build', folder, '--target', name, '--config', 'Release']);
  return inRoot('build', 'release', 'tools', process.platform === 'win32' ? `${name}.exe` : name);
}
