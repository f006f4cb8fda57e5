import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { dagmount } from '../support/mount.ts';
import { startSeaweedfs } from '../support/seaweedfs.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { writeTree } from '../support/write-tree.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

/** A release root in the store of all tests, and the commands that write to it. */
export async function openRoot(t: Cleanup) {
  const seaweedfs = await startSeaweedfs();
  defer(t, () => seaweedfs.stop());
  const bucket = await seaweedfs.createBucket();
  const checkout = join(await temporaryDirectory(t), 'dags');
  const address = `s3://${bucket}/releases`;
  const command = async (...args: readonly string[]): Promise<string> => {
    const { accessKeyId, secretAccessKey } = seaweedfs.s3.access;
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const all = [...args, '--to', address, '--endpoint-url', seaweedfs.endpoint];
    const { code, stdout, stderr } = await dagmount(all, env);
    assert.equal(code, 0, `${all.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  const deploy = async (files: Files): Promise<string> => {
    await rm(checkout, { recursive: true, force: true });
    writeTree(checkout, files);
    return command('deploy', checkout, 'production', '-m', 'a message', '--no-check', '--allow-deletions');
  };
  const remove = async (below: string): Promise<void> => {
    for (const key of (await seaweedfs.s3.list(bucket, `releases/${below}`)).keys())
      await seaweedfs.delete(bucket, key);
  };
  return { seaweedfs, bucket, address, command, deploy, remove };
}
