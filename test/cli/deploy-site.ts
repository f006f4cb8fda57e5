import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Shell } from '../../src/cli/shell.ts';
import { environment } from '../config/host-environment.ts';
import { MemoryS3, type MemoryS3Options } from '../support/memory-s3.ts';
import {
  type Cleanup,
  defer,
  makeTemporaryDirectory,
  removeTemporaryDirectory,
} from '../support/temporary.ts';
import { writeTree } from '../support/write-tree.ts';
import { type Ran, ran } from './recorded-shell.ts';

export const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));

let folders = 0;
function folder(files: Readonly<Record<string, string>>): string {
  const root = join(directory, `folder-${folders++}`);
  writeTree(root, files);
  return root;
}

export interface Site {
  readonly store: MemoryS3;
  /** Runs a command in the site's folder. */
  run(
    command: string,
    changes?: Partial<Shell>,
    env?: Readonly<Record<string, string | undefined>>,
  ): Promise<Ran>;
  readonly folder: string;
}

export async function site(
  test: Cleanup,
  files: Readonly<Record<string, string>>,
  options: MemoryS3Options = {},
): Promise<Site> {
  const store = await MemoryS3.start({ writes: 'conditional', ...options });
  defer(test, () => store.close());
  const root = folder(files);
  return {
    store,
    folder: root,
    run: (command, changes = {}, env = {}) =>
      ran(command.split(' '), {
        wallClock: Date.now,
        ...changes,
        environment: environment({
          workingDirectory: root,
          env: {
            DAGMOUNT_TO: 's3://bucket/releases',
            AWS_ENDPOINT_URL: store.endpoint,
            AWS_REGION: 'us-east-1',
            AWS_ACCESS_KEY_ID: 'k',
            AWS_SECRET_ACCESS_KEY: 's',
            PATH: process.env.PATH,
            USER: 'zoe',
            ...env,
          },
        }),
      }),
  };
}

/** Checks for one sentence that says what is wrong, and one that says what to do. */
export function refused({ exitCode, err }: Ran, code: number, words: RegExp): void {
  assert.equal(exitCode, code, err);
  const lines = err.trimEnd().split('\n').slice(-2);
  assert.equal(lines.length, 2, err);
  assert.match(lines[0]!, words);
  assert.match(lines[0]!, /^dagmount: .*[.!?]$/);
  assert.doesNotMatch(err, /Internal error/);
}
