import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeKey } from '../release/ssh-keygen.ts';
import { dagmount } from './mount.ts';
import { startSeaweedfs } from './seaweedfs.ts';
import { type Cleanup, defer, temporaryDirectory } from './temporary.ts';
import { writeTree } from './write-tree.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

interface DeployOptions {
  readonly environment?: string;
  /** Flags of `dagmount deploy`, besides those that each deploy has. */
  readonly flags?: readonly string[];
}

/** A signer that a node may trust: the flags with which a deployer signs, and the file for --allowed-signers. */
export async function makeSigner(t: Cleanup) {
  const directory = await temporaryDirectory(t);
  const principal = 'ci@acme.example';
  const { file, publicKey } = makeKey(directory, 'deploy_key', ['ed25519']);
  const signers = join(directory, 'allowed_signers');
  await writeFile(signers, `${principal} namespaces="dagmount" ${publicKey}\n`, { mode: 0o644 });
  return { flags: ['--sign', file, '--principal', principal], signers };
}

/** A release root in the store that all tests share, and the commands that write to it. */
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
  const deploy = async (files: Files, options: DeployOptions = {}): Promise<string> => {
    await rm(checkout, { recursive: true, force: true });
    writeTree(checkout, files);
    const flags = ['-m', 'a message', '--no-check', '--allow-deletions', ...(options.flags ?? [])];
    return command('deploy', checkout, options.environment ?? 'production', ...flags);
  };
  /** The id of the release to which the environment points, read from its ref. */
  const newest = async (environment = 'production'): Promise<string> => {
    const ref = await seaweedfs.s3.get(bucket, `releases/refs/${environment}.json`);
    const { payload } = JSON.parse(ref.toString()) as { readonly payload: string };
    return (JSON.parse(Buffer.from(payload, 'base64').toString()) as { readonly release: string }).release;
  };
  const remove = async (below: string): Promise<void> => {
    for (const key of (await seaweedfs.s3.list(bucket, `releases/${below}`)).keys())
      await seaweedfs.delete(bucket, key);
  };
  return { seaweedfs, bucket, address, command, deploy, newest, remove };
}
