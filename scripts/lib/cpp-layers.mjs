// Which folder may include which: the CMake targets enforce most of it, this says it in words and covers the rest.
import { readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { listFiles } from './sources.mjs';

/** Folder → the folders of cpp/ whose headers it may include, besides its own. */
const allowed = {
  'cpp/base': [],
  'cpp/text': ['base'],
  'cpp/grammar': ['base'],
  'cpp/sampler': ['base'],
  'cpp/scorer': ['base'],
  'cpp/kv_cache': ['base'],
  'cpp/scheduler': ['base', 'kv_cache'],
  'cpp/kernels': ['base'],
  'cpp/backend': ['base', 'kernels'],
  'cpp/engine': ['base', 'backend', 'scheduler', 'sampler', 'scorer', 'text', 'grammar'],
  native: ['base', 'engine', 'backend'],
};
const foreign = [
  { headers: /^(llama|llama-.*)\.h$/, what: 'llama.cpp', folders: ['cpp/backend'] },
  { headers: /^(ggml|gguf|repack|traits)[\w-]*\.h$/, what: 'ggml', folders: ['cpp/backend', 'cpp/kernels'] },
  { headers: /^(napi|node_api|js_native_api|uv).*\.h$/, what: 'Node', folders: ['native'] },
];
// We live in someone else's process: cpp/ returns or throws.
const forbiddenCalls =
  /(?<![\w.>])(?:std::)?(?:abort|exit|_exit|quick_exit|terminate|f?printf|puts)\s*\(|std::c(?:out|err)\b/;

const folderOf = (file) => (file.startsWith('native/') ? 'native' : file.split('/').slice(0, 2).join('/'));

function checkInclude(folder, header) {
  if (header.includes('..')) return `includes "${header}": no relative paths`;
  const rule = foreign.find(({ headers }) => headers.test(header));
  if (rule)
    return rule.folders.includes(folder) ? undefined : `includes ${header}: ${rule.what} belongs to ${rule.folders}`;
  const target = /^(\w+)\//.exec(header)?.[1];
  if (!target || !(`cpp/${target}` in allowed) || folder === `cpp/${target}`) return undefined;
  if (folder === 'cpp/engine' || folder === 'native') {
    if (target === 'backend' && header !== 'backend/backend.h')
      return `includes ${header}: only backend.h is seen from here`;
  }
  return allowed[folder].includes(target)
    ? undefined
    : `includes ${header}: may include only ${allowed[folder].join(', ')}`;
}

/** Comments and string literals removed, lines kept. */
const code = (text) =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"/g, (part) =>
    part.startsWith('"') ? '""' : part.replaceAll(/[^\n]/g, ' '),
  );

function checkFile(file) {
  const folder = folderOf(file);
  if (!(folder in allowed)) return [`${file}: ${folder} has no row in scripts/lib/cpp-layers.mjs`];
  const text = readFileSync(inRoot(file), 'utf8');
  const problems = [];
  text.split('\n').forEach((line, index) => {
    const header = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/.exec(line)?.[1];
    const problem = header && checkInclude(folder, header);
    if (problem) problems.push(`${file}:${index + 1} ${problem}`);
  });
  if (folder === 'native') return problems;
  code(text)
    .split('\n')
    .forEach((line, index) => {
      const call = forbiddenCalls.exec(line)?.[0];
      if (call) problems.push(`${file}:${index + 1} calls ${call.trim()}: cpp/ neither prints nor ends the process`);
    });
  return problems;
}

export const checkCppLayers = () => listFiles(['cpp', 'native'], ['.cc', '.h']).flatMap(checkFile);
