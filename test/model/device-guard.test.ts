// A GPU that fails makes ggml end the process: the guard around a step turns that into ERR_DEVICE_LOST.
import { spawnSync } from 'node:child_process';
import test from 'ava';
import { buildTool } from './helpers/tool.js';

test('what ends a process in ggml is an exception under the guard, and only there', async (t) => {
  t.timeout(120_000);
  const tool = await buildTool('device_guard_check');
  const guarded = spawnSync(tool, [], { encoding: 'utf8' });
  t.deepEqual([guarded.status, guarded.stdout, guarded.stderr], [0, 'caught\n', '']);
  const bare = spawnSync(tool, ['bare'], { encoding: 'utf8', env: { ...process.env, GGML_NO_BACKTRACE: '1' } });
  t.is(bare.signal, 'SIGABRT');
  t.regex(bare.stderr, /GGML_ASSERT/);
});
