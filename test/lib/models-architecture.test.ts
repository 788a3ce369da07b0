import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { CapabilityError } from '../../lib/errors.js';
import { resolveModel } from '../../lib/models/index.js';
import { writeGguf } from '../support/gguf-writer.js';
import { temporaryFolder } from '../support/temporary-folder.js';

async function resolveArchitecture(t: ExecutionContext, value: string) {
  const file = path.join(await temporaryFolder(t), 'model.gguf');
  const metadata = { 'general.architecture': { type: 'string', value } } as const;
  await writeFile(file, writeGguf({ metadata, tensors: [{ name: 'token_embd.weight', shape: [8, 4] }] }));
  return resolveModel(file, { checkVocabulary: false });
}

for (const architecture of ['glm', 'GLM-130B', 'chatglm-6b', 'unilm']) {
  test(`${architecture} is refused as a prefix language model, with what to take instead`, async (t) => {
    const error = await t.throwsAsync(resolveArchitecture(t, architecture), { instanceOf: CapabilityError });
    t.like(error, { code: 'ERR_UNSUPPORTED', architecture });
    t.regex(error.message, /prefix language models.*GLM-4/);
  });
}

test('the causal generations are not', async (t) => {
  t.is((await resolveArchitecture(t, 'glm4')).architecture, 'glm4');
  t.is((await resolveArchitecture(t, 'chatglm')).architecture, 'chatglm');
});
