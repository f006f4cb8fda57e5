import type { HeldView, PastReleaseView, ReleaseView } from '../../control/shapes/status.ts';
import { formatAgo, formatCount, formatDuration, plural } from '../format.ts';

/** Length of a shortened release id that people compare: `sha256-` and this many digits. */
export const SHORT_ID = 'sha256-'.length + 12;
/** Maximum length of a message's first line. */
const LONGEST_MESSAGE = 100;

/** Formats a release as `step 42 (sha256-0123456789ab) by zoe: Load the orders`. */
export function releaseLine({ seq, id, author, message }: PastReleaseView): string {
  const line = subject(message);
  return `step ${seq} (${id.slice(0, SHORT_ID)}) by ${author}${line === '' ? '' : `: ${line}`}`;
}

/**
 * Formats a release like releaseLine(), and adds when the release was made, its signers, its commit and its
 * URL.
 */
export function releaseText(release: ReleaseView, now: number): string {
  const { ref, created, commit, url, signedBy } = release;
  const more = [
    `made ${formatAgo(Date.parse(created), now)}`,
    signedBy.length === 0
      ? 'signatures are not asked for'
      : `signed by ${signedBy.map(({ principals, fingerprint }) => `${principals} (${fingerprint})`).join(', ')}`,
    ...(commit === null ? [] : [`commit ${commit.slice(0, 12)}`]),
    ...(url === null ? [] : [url]),
  ];
  return `${ref}, ${releaseLine(release)}; ${more.join('; ')}`;
}

export function armedText(armed: NonNullable<ReleaseView['armed']>, now: number): string {
  return `${releaseLine(armed)}; shown at ${armed.at}, ${whenText(Date.parse(armed.at), now)}`;
}

/** Says why a release or a tree is held, and what it would change. */
export function heldLine(held: HeldView): string {
  const { generation, reason, files, removed, release } = held;
  if (isRefHeld(held)) {
    return release === undefined
      ? reason
      : `step ${release.seq} (${release.id.slice(0, SHORT_ID)}): ${reason}`;
  }
  const what = release === undefined ? generation : `step ${release.seq} (${generation})`;
  return `${what}: ${reason}, ${plural(removed, 'file')} would be gone and ${formatCount(files)} left`;
}

/**
 * Whether the daemon holds a ref for which it has not built a tree. If not, the guard against mass deletion
 * holds a tree.
 */
export function isRefHeld({ files, removed }: HeldView): boolean {
  return files === 0 && removed === 0;
}

function whenText(at: number, now: number): string {
  return at > now ? `in ${formatDuration(at - now)}` : formatAgo(at, now);
}

/**
 * Returns the first line of a message, shortened if it is long. In a sanitized message, the end of a line is
 * an escape sequence.
 */
function subject(message: string): string {
  const [line = ''] = message.split(/\n|\\n/);
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE)}…` : line;
}
