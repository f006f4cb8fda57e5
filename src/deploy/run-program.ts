import { type SpawnOptions, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface ProgramEnd {
  /** Null if a signal ended the program. */
  readonly code: number | null;
  readonly said: string;
  readonly complained: string;
}

/**
 * Runs a program to its end. Rejects if it cannot be started, or if `signal` ends it.
 *
 * @param input the program's standard input; undefined: empty
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
  // The error is ignored, because a program that ends early closes its input.
  child.stdin?.on('error', () => undefined).end(input);
  const [code, said, complained] = await Promise.all([ended, text(child.stdout!), text(child.stderr!)]);
  return { code, said, complained };
}
