import { encoded, type ListedPage, type ListedRow, render } from './bucket.ts';
import { oddPath } from './lab.ts';
import type { Asked } from './scripted-store.ts';
import { type Answer, type Fault, send, withBody } from './wire.ts';

/** The key of the odd object, as a listing has it. */
export const oddKey = encoded(`dags/${oddPath}`);

/** Changes rows of a listing: that of the odd object, or each. */
export function rowsChanged(change: (row: ListedRow) => ListedRow, which: 'one' | 'all'): Fault {
  return pageChanged((page) => ({
    ...page,
    rows: page.rows.map((row) => (which === 'all' || row.Key === oddKey ? change(row) : row)),
  }));
}

/** @param change also gets the token with which the page was requested, or the key after which it starts */
export function pageChanged(
  change: (page: ListedPage, token: string | undefined, after: string | undefined) => ListedPage,
): Fault {
  return (right, asked) => {
    const { page } = asked;
    if (page === undefined) return send(right);
    return send(render(change(page, given(asked, 'continuation-token'), given(asked, 'start-after'))));
  };
}

export function xmlChanged(change: (text: string) => string): Fault {
  return (right: Answer) => send(withBody(right, Buffer.from(change(right.body.toString()))));
}

function given(asked: Asked, parameter: string): string | undefined {
  return asked.query.get(parameter) ?? undefined;
}
