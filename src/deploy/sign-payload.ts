import { type EnvelopeSignature, NAMESPACE } from '../release/index.ts';
import { DeployError } from './deploy-error.ts';
import { runProgram } from './run-program.ts';

const LONGEST_SIGNING_MS = 120_000;

/**
 * Signs a payload by `ssh-keygen -Y sign` (OpenSSH 8.1). `key` is a private key file of any format, for which
 * ssh-keygen asks the passphrase on the terminal; or a public key file, and then the SSH agent has the
 * private key. dagmount never reads a key.
 *
 * @throws {DeployError} `unsigned` if ssh-keygen is missing or fails
 */
export async function signPayload(
  key: string,
  principal: string,
  payload: Uint8Array,
  signal: AbortSignal,
): Promise<EnvelopeSignature> {
  try {
    const args = ['-Y', 'sign', '-n', NAMESPACE, '-f', key];
    const { code, said, complained } = await runProgram('ssh-keygen', args, payload, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_SIGNING_MS)]),
    });
    if (code === 0) return { principal, signature: said };
    throw unsigned(key, complained.trim().split('\n').at(-1) ?? `ssh-keygen ended with ${code}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw unsigned(key, 'there is no ssh-keygen on this host (Debian: apt-get install openssh-client)');
  }
}

function unsigned(key: string, reason: string): DeployError {
  return new DeployError(
    'unsigned',
    `the release cannot be signed with ${key}: ${reason}`,
    'Name a private key file, or a public one whose key the agent of SSH_AUTH_SOCK has.',
  );
}
