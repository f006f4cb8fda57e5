import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why tests that compare with ssh-keygen cannot run; undefined where they can. */
export function missingSshKeygen(): string | undefined {
  const { error, stderr } = spawnSync('ssh-keygen', ['-Y', 'verify'], { encoding: 'utf8', timeout: 10_000 });
  if (error !== undefined) return 'there is no ssh-keygen here (Debian: apt-get install openssh-client)';
  return stderr.includes('illegal option') ? 'this ssh-keygen cannot sign (OpenSSH 8.1 can)' : undefined;
}

/** Makes a new pair of keys; `file` is the private one. */
export function makeKey(
  directory: string,
  name: string,
  type: readonly string[],
): { file: string; publicKey: string } {
  const file = join(directory, name);
  execFileSync('ssh-keygen', ['-q', '-t', ...type, '-N', '', '-C', name, '-f', file], { timeout: 60_000 });
  const [kind, key] = readFileSync(`${file}.pub`, 'utf8').split(' ');
  return { file, publicKey: `${kind} ${key}` };
}

export function sign(key: string, message: Uint8Array, namespace: string, hash = 'sha512'): string {
  const args = ['-Y', 'sign', '-q', '-n', namespace, '-f', key, '-O', `hashalg=${hash}`];
  return execFileSync('ssh-keygen', args, {
    input: message,
    timeout: 10_000,
    stdio: ['pipe', 'pipe', 'ignore'],
  }).toString();
}

/** Whether ssh-keygen accepts the signature, made at the second of `created`. */
export function accepts(
  directory: string,
  signers: string,
  signature: string,
  message: Uint8Array,
  { principal, namespace, created }: { principal: string; namespace: string; created: number },
): boolean {
  const [signersFile, signatureFile] = [join(directory, 'signers'), join(directory, 'signature')];
  writeFileSync(signersFile, signers);
  writeFileSync(signatureFile, signature);
  const time = `${new Date(created).toISOString().replace(/[-:T]|\..*/g, '')}Z`;
  const args = ['-Y', 'verify', '-n', namespace, '-I', principal, '-f', signersFile, '-s', signatureFile];
  const { status } = spawnSync('ssh-keygen', [...args, '-O', `verify-time=${time}`], {
    input: message,
    timeout: 10_000,
  });
  return status === 0;
}
