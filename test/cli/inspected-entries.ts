import * as z from 'zod/mini';
import { type entriesShape, entryShape } from '../../src/control/shapes/entries.ts';
import { ID, statusOf } from '../control/fixture.ts';
import type { Cleanup } from '../support/temporary.ts';
import { type Answering, fakeDaemon } from './fake-daemon.ts';
import { ran } from './recorded-shell.ts';

export const AT = '2026-01-01T00:00:00.000Z';
export const GENERATION = { id: ID, number: 2 };

/** A file of a listing. */
export function entryItem(
  path: string,
  changes: Partial<z.infer<typeof entriesShape>['items'][number]> = {},
) {
  return {
    path,
    kind: 'file' as const,
    size: 1536,
    etag: 'e',
    mtime: AT,
    executable: false,
    cached: true,
    ...changes,
  };
}

/** A daemon's answer about one path. */
export function entryAt(path: string, changes: Partial<z.infer<typeof entryShape>> = {}) {
  return z.parse(entryShape, {
    path,
    kind: 'file',
    key: `p/${path}`,
    size: 1536,
    etag: 'abc',
    versionId: null,
    lastModified: AT,
    mtime: AT,
    executable: false,
    generation: GENERATION,
    firstVisible: { at: AT, generation: GENERATION },
    cached: true,
    cachedBytes: 1536,
    checksum: { algorithm: 'sha256', value: 'a'.repeat(64) },
    pinned: false,
    nodeIds: { current: 7, replaced: [5, 6] },
    problems: [],
    ...changes,
  });
}

/** Runs a command against a daemon that gives these answers. */
export async function asked(test: Cleanup, answers: Readonly<Record<string, Answering>>, ...args: string[]) {
  const daemon = await fakeDaemon(test, { 'GET /v1/status': () => statusOf(), ...answers });
  const told = await ran([...args, '--socket', daemon.socket]);
  return { ...told, asked: daemon.asked };
}
