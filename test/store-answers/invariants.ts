import assert from 'node:assert/strict';
import { waitFor } from '../support/wait-for.ts';
import type { Lab } from './lab.ts';

/** What no terminal should get: control characters, direction marks, and code points that stand for no character. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

const LATE: ReadonlySet<string> = new Set(['deadline', 'source-down', 'unreachable']);

/** Checks that the mount foresaw the store's answer, and that all that it says can be printed. */
export function checkWhatIsSaid(lab: Lab): void {
  for (const { level, event, fields } of lab.log.lines) {
    assert.notEqual(level, 'error', `an error in the log: ${event} ${describe(fields)}`);
    checkPrintable(fields, 'the log');
    assert.ok(!saysInternal(fields), `a fault of the program in the log: ${event} ${describe(fields)}`);
  }
  checkPrintable(lab.views.status(), 'status');
  checkPrintable(lab.problems(), 'problems');
  for (const notice of lab.notices) checkPrintable(notice, 'an event');
}

function saysInternal(fields: object): boolean {
  return Object.values(fields).includes('internal');
}

function checkPrintable(value: unknown, where: string): void {
  if (typeof value === 'string') {
    assert.ok(!UNPRINTABLE.test(value), `${where} says ${JSON.stringify(value)}`);
  } else if (value instanceof Error) {
    checkPrintable(value.message, where);
  } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const part of Object.values(value)) checkPrintable(part, where);
  }
}

function describe(fields: object): string {
  const { err } = fields as { readonly err?: unknown };
  return err instanceof Error ? (err.stack ?? err.message) : JSON.stringify(fields);
}

/** Reads every file but `except`: each has the right bytes of some version of it, and none is missing. */
export async function checkOthers(lab: Lab, except: string, mayBeNew: readonly string[]): Promise<void> {
  for (const path of lab.paths()) {
    if (path === except) continue;
    const read = await waitFor(`an answer about ${path}`, async () => {
      const answer = await lab.read(path);
      // A busy machine makes requests late, while the mount's time runs as fast as ever.
      return answer.kind === 'error' && LATE.has(answer.code) ? undefined : answer;
    });
    if (read.kind === 'absent' && mayBeNew.includes(path)) continue;
    if (read.kind !== 'bytes') assert.fail(`${path}: ${JSON.stringify(read)}`);
    assert.ok(lab.everHad(path, read.bytes), `${path} has bytes that it never had`);
  }
}
