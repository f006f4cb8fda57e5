import { join } from 'node:path';
import { startChild } from './child.ts';
import { repository } from './repository.ts';
import { waitFor } from './wait-for.ts';

/** A store of very many small objects, too many to put into a real store for a test; see computed-bucket.ts. */
export interface ManyObjects {
  readonly endpoint: string;
  /** Gives the objects from `from` to before `to` new bytes. */
  revise(from: number, to: number): Promise<void>;
  stop(): Promise<void>;
}

export async function serveManyObjects(options: {
  readonly objects: number;
  /** The start of every key, with its slash. */
  readonly prefix?: string;
  /** The size of each object; by default, the fewest bytes that make objects different. */
  readonly bytes?: number;
  /** Milliseconds before each answer. */
  readonly latency?: number;
}): Promise<ManyObjects> {
  const program = join(repository, 'dist/test/support/serve-many-objects.js');
  const { objects, prefix = '', bytes = 0, latency = 0 } = options;
  const server = startChild(
    process.execPath,
    [program, String(objects), prefix, String(bytes), String(latency)],
    {
      stdin: 'pipe',
    },
  );
  const lines = (): readonly string[] => server.stdout().split('\n').slice(0, -1);
  const endpoint = await waitFor('the fake store to listen', () => lines()[0], 60_000);
  return {
    endpoint,
    revise: async (from, to) => {
      const before = lines().length;
      server.process.stdin?.write(`revise ${from} ${to}\n`);
      await waitFor('the fake store to revise its objects', () => lines().length > before);
    },
    stop: async () => {
      server.kill('SIGKILL');
      await server.exit;
    },
  };
}
