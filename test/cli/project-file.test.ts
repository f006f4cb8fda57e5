import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { findProject } from '../../src/cli/releases/project-file.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const STRANGER = 54_321;
const notRoot = process.geteuid?.() === 0 ? false : 'only root can make files of another user';

/** A source directory, and the path of a project file in the directory above it. */
async function directories(context: Parameters<typeof temporaryDirectory>[0]) {
  const above = await temporaryDirectory(context);
  const source = join(above, 'dags');
  mkdirSync(source);
  return { file: join(above, 'dagmount.yaml'), source };
}

describe('the project file', () => {
  test('is found upwards from the source', async (context) => {
    const { file, source } = await directories(context);
    writeFileSync(file, 'to: s3://bucket/root\n');
    const project = findProject(source);
    assert.equal(project?.file, file);
    assert.equal(project?.to, 's3://bucket/root');
  });

  test('of another user is refused, since its checks are run', { skip: notRoot }, async (context) => {
    const { file, source } = await directories(context);
    writeFileSync(file, 'checks: ["true"]\n');
    chownSync(file, STRANGER, STRANGER);
    assert.throws(() => findProject(source), {
      code: 'untrusted-project',
      message: new RegExp(`${file}.*${STRANGER}`),
    });
  });

  test('to which a link of another user leads is refused', { skip: notRoot }, async (context) => {
    const { file, source } = await directories(context);
    writeFileSync(join(source, 'mine.yaml'), 'checks: ["true"]\n');
    symlinkSync('dags/mine.yaml', file);
    lchownSync(file, STRANGER, STRANGER);
    assert.throws(() => findProject(source), { code: 'untrusted-project' });
  });

  test('that is a FIFO or a directory is refused, and holds nothing up', async (context) => {
    const fifo = await directories(context);
    execFileSync('mkfifo', [fifo.file]);
    assert.throws(() => findProject(fifo.source), { code: 'unreadable-file' });
    const folder = await directories(context);
    mkdirSync(folder.file);
    assert.throws(() => findProject(folder.source), { code: 'unreadable-file' });
  });

  test('that is larger than any project file is refused', async (context) => {
    const { file, source } = await directories(context);
    writeFileSync(file, `# ${'x'.repeat(2 * 1024 * 1024)}\n`);
    assert.throws(() => findProject(source), { code: 'unreadable-file' });
  });
});
