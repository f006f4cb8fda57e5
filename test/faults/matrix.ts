import type { FaultName } from './faults.ts';

/** The daemon's requests that a fault strikes. `watch` is the poll of --watch-key. */
export type Stage = 'start' | 'watch' | 'revalidation' | 'settle' | 'prefetch' | 'read';

/**
 * The effect of a fault while it lasts:
 * - `nothing`: the stage is only slower, and ends while the fault lasts;
 * - a code: the daemon logs it, and the tree stays as it is (for a read: EIO, for the file that is not local alone);
 * - `waitsFor` a code: other requests succeed, so that the tree waits for the objects that fail with this code;
 * - `held`: the daemon holds the listing;
 * - `exit`: a first start ends with this exit code, and mounts nothing; the next start succeeds;
 * - `waits`: a first start waits, with nothing mounted, and continues by itself.
 */
export type Seen =
  | 'nothing'
  | 'held'
  | 'waits'
  | { readonly code: string }
  | { readonly waitsFor: string }
  | { readonly exit: number };

export interface Cell {
  readonly fault: FaultName;
  readonly stage: Stage;
  readonly seen: Seen;
}

const unreachable = { code: 'unreachable' } as const;
const corrupt = { code: 'corrupt' } as const;
const expired = { code: 'expired' } as const;

/** The first bytes of an answer arrive: so the daemon's control request, for one byte of an object, succeeds. */
const ofLongAnswers = { watch: undefined, prefetch: { waitsFor: 'unreachable' } } as const;

type Row = Readonly<Partial<Record<Stage, Seen | undefined>>>;

/**
 * The effect of each fault in each stage. A stage without an entry cannot have the fault: the daemon looks only at the
 * head of the answer for a watched key, and S3 gives no checksum for a listing.
 */
const rows: Readonly<Record<FaultName, Row>> = {
  'is down: it cuts every connection': triedAgain(unreachable),
  'is down: it refuses connections': triedAgain(unreachable),
  'takes requests and never answers': triedAgain(unreachable),
  'answers late': everywhere('nothing', 'nothing'),
  'stops in the middle of an answer': { ...triedAgain(unreachable), ...ofLongAnswers },
  'answers 500': triedAgain(unreachable),
  'answers 503 SlowDown': triedAgain({ code: 'throttled' }),
  'answers 503 and no word': triedAgain(unreachable),
  'answers 403 ExpiredToken': everywhere({ exit: 77 }, expired),
  'redirects to another region': everywhere({ exit: 78 }, { code: 'wrong-region' }),
  'closes in the middle of an answer': { ...triedAgain(unreachable), ...ofLongAnswers },
  'sends an answer of another length': { ...everywhere({ exit: 69 }, corrupt), watch: undefined },
  // An answer of one byte has no checksum: the control succeeds, and the daemon blames the objects.
  'flips one bit of the content': { prefetch: { waitsFor: 'corrupt' }, read: corrupt },
  'fails at the second page of a listing': {
    start: 'waits',
    revalidation: unreachable,
    settle: unreachable,
  },
  'lists nothing': { start: { exit: 66 }, revalidation: 'held', settle: 'held' },
  'lists what it had before': { revalidation: 'nothing', settle: 'nothing' },
};

/** The daemon retries what may repair itself; a read retries until its deadline. */
function triedAgain(later: Seen): Row {
  return { ...everywhere('waits', later), read: { code: 'deadline' } };
}

function everywhere(start: Seen, later: Seen): Row {
  return { start, watch: later, revalidation: later, settle: later, prefetch: later, read: later };
}

export const matrix: readonly Cell[] = Object.entries(rows).flatMap(([fault, row]) =>
  Object.entries(row).flatMap(([stage, seen]) =>
    seen === undefined ? [] : [{ fault: fault as FaultName, stage: stage as Stage, seen }],
  ),
);

/** Each stage, with different faults that the daemon notices soon. */
export const sample: readonly Cell[] = (
  [
    ['answers 503 SlowDown', 'start'],
    ['fails at the second page of a listing', 'start'],
    ['is down: it refuses connections', 'revalidation'],
    ['lists nothing', 'revalidation'],
    ['sends an answer of another length', 'settle'],
    ['lists what it had before', 'settle'],
    ['answers 500', 'watch'],
    ['answers 403 ExpiredToken', 'prefetch'],
    ['flips one bit of the content', 'prefetch'],
    ['takes requests and never answers', 'read'],
    ['closes in the middle of an answer', 'read'],
  ] as const
).map(([fault, stage]) => {
  const cell = matrix.find((each) => each.fault === fault && each.stage === stage);
  if (cell === undefined) throw new Error(`${fault} does not strike in ${stage}`);
  return cell;
});
