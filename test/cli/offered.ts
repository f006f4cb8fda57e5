import assert from 'node:assert/strict';
import { ran } from './recorded-shell.ts';

/** The candidates that completion offers for `current`, from the daemon at this socket. */
export async function offered(
  socket: string,
  kind: string,
  current: string,
  ...words: readonly string[]
): Promise<readonly string[]> {
  const { exitCode, out, err } = await ran([
    ...['completion', '--candidates', kind, '--', current, ...words],
    ...['--socket', socket],
  ]);
  assert.deepEqual([exitCode, err], [0, '']);
  return out.split('\n').filter((line) => line !== '');
}
