import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { repository } from '../support/repository.ts';

// V8 writes a line to stderr for an option that it does not know, and every mount would show that line.
test('V8 accepts the option for later optimisation in silence', async () => {
  const module = `${repository}/dist/src/host/optimize-later.js`;
  const program = `import { optimizeLater } from '${module}'; optimizeLater(); console.log('done');`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    program,
  ]);
  assert.deepEqual([stdout, stderr], ['done\n', '']);
});
