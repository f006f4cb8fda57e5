import { type SpawnOptions, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface ProgramEnd {
  /** Null: a signal ended it. */
  readonly code: number | null;
  readonly said: string;
  readonly complained: string;
}

/**
 * Runs a program to its end. Rejects where it cannot be started, and where the signal ends it.
 *
 * @param input what it reads; undefined: nothing
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  input: string | Uint8Array | undefined,
  options: Pick<SpawnOptions, 'cwd' | 'signal'>,
): Promise<ProgramEnd> {
  const child = spawn(command, args, {
    ...options,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  // One that ends early closes its input.
  child.stdin?.on('error', () => undefined).end(input);
  const [code, said, complained] = await Promise.all([ended, text(child.stdout!), text(child.stderr!)]);
  return { code, said, complained };
}
