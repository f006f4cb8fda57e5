import type { FaultName } from './faults.ts';

/** Where a fault strikes: which requests of the daemon's. `watch` is the poll of --watch-key. */
export type Stage = 'start' | 'watch' | 'revalidation' | 'settle' | 'prefetch' | 'read';

/**
 * What is seen of a fault while it lasts:
 * - `nothing`: the stage is only slower, and its work is done while the fault lasts;
 * - a code: the daemon's log names it, the tree stays as it is (of a read: EIO, of a file that is not local alone);
 * - `waitsFor` a code: what else is asked of the store comes, so that the tree waits for objects that fail with it;
 * - `held`: the listing is held;
 * - `exit`: a first start ends with this exit code, and nothing is mounted; the next one succeeds;
 * - `waits`: a first start waits, with nothing mounted, and goes on by itself.
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

/** The first bytes of an answer come: what is asked for as the control, one byte of an object, comes whole. */
const ofLongAnswers = { watch: undefined, prefetch: { waitsFor: 'unreachable' } } as const;

type Row = Readonly<Partial<Record<Stage, Seen | undefined>>>;

/**
 * Of each fault, what it does in each stage. A stage that is missing has no such fault: of a watched key only the head
 * of the answer is looked at, and S3 gives no checksum for a listing.
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
  // One byte of an object has no checksum: the fault is taken for that of the objects.
  'flips one bit of the content': { prefetch: { waitsFor: 'corrupt' }, read: corrupt },
  'fails at the second page of a listing': {
    start: 'waits',
    revalidation: unreachable,
    settle: unreachable,
  },
  'lists nothing': { start: { exit: 66 }, revalidation: 'held', settle: 'held' },
  'lists what it had before': { revalidation: 'nothing', settle: 'nothing' },
};

/** What may repair itself is tried again, by a read until its deadline. */
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

/** Each stage, with faults that differ, and where they do not take long to be noticed. */
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
