import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from '../../src/store/credentials.ts';
import { startChild } from './child.ts';
import { freePorts } from './free-ports.ts';
import { repository } from './repository.ts';
import { TestS3 } from './s3.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from './temporary.ts';
import { waitFor } from './wait-for.ts';

export interface Versitygw {
  readonly endpoint: string;
  readonly bucket: string;
  stop(): Promise<void>;
}

/** The server's program; undefined if scripts/test has not built it. */
export function versitygwProgram(): string | undefined {
  const path = join(repository, '.tools/versitygw/versitygw');
  return existsSync(path) ? path : undefined;
}

/** Starts an S3 gateway over a directory, with one bucket. */
export async function startVersitygw(credentials: Credentials): Promise<Versitygw> {
  const program = versitygwProgram();
  if (program === undefined) throw new Error('no .tools/versitygw/versitygw: scripts/test --long builds it');
  const bucket = 'releases';
  const directory = await makeTemporaryDirectory();
  await mkdir(join(directory, bucket));
  const port = await freePorts(1);
  const server = startChild(program, ['--port', `127.0.0.1:${port}`, 'posix', directory], {
    env: {
      ...process.env,
      ROOT_ACCESS_KEY: credentials.accessKeyId,
      ROOT_SECRET_KEY: credentials.secretAccessKey,
    },
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const s3 = new TestS3({ endpoint, ...credentials });
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await server.exit;
    await s3.close();
    await removeTemporaryDirectory(directory);
  };
  try {
    await waitFor('versitygw to answer', async () => {
      const answer = await s3.send('GET', bucket).catch(() => undefined);
      return answer?.status === 200;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, bucket, stop };
}
