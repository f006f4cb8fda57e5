import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { freePorts } from './free-ports.ts';
import { repository } from './repository.ts';
import { TestS3 } from './s3.ts';
import { waitFor } from './wait-for.ts';

export interface Moto {
  readonly endpoint: string;
  readonly s3: TestS3;
  stop(): Promise<void>;
}

/** The server's program; undefined if scripts/test has not installed it. */
export function motoProgram(): string | undefined {
  const path = process.env.DAGMOUNT_TEST_MOTO ?? join(repository, '.tools/moto/bin/moto_server');
  return existsSync(path) ? path : undefined;
}

/** Starts moto's S3, which checks conditions of writes, and no signatures. */
export async function startMoto(): Promise<Moto> {
  const program = motoProgram();
  if (program === undefined)
    throw new Error('no .tools/moto/bin/moto_server: scripts/test --long installs it');
  const port = await freePorts(1);
  const server = startChild(program, ['-H', '127.0.0.1', '-p', String(port)]);
  const endpoint = `http://127.0.0.1:${port}`;
  const s3 = new TestS3({ endpoint, accessKeyId: 'k', secretAccessKey: 's' });
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await server.exit;
    await s3.close();
  };
  try {
    await waitFor('moto to answer', async () => {
      const answer = await s3.send('PUT', 'ready').catch(() => undefined);
      return answer?.status === 200;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, s3, stop };
}
