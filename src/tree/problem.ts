export const problemReasons = [
  'empty-component',
  'dot-component',
  'nul',
  'too-long',
  'not-utf8',
  'trailing-slash',
  'shadowed',
  'no-version',
  'unreadable-class',
  'bad-size',
  'bad-date',
  /** The store does not return the object's content; the detail has the store's answer. */
  'unreadable-object',
] as const;

export type ProblemReason = (typeof problemReasons)[number];

/**
 * A key that is left out of the tree, or is shown with a defect: not readable (`unreadable-class`,
 * `unreadable-object`), without its date (`bad-date`), or as it was before (`bad-size`, `no-version`).
 */
export interface Problem {
  /**
   * The key below the prefix. Bytes that are not UTF-8 appear as \xNN. A key over 4,096 bytes is cut, with an
   * ellipsis.
   */
  readonly key: string;
  readonly reason: ProblemReason;
  /** One sentence for people. */
  readonly detail: string;
}

export function describeProblem(reason: ProblemReason): string {
  switch (reason) {
    case 'empty-component':
      return 'left out: a path cannot have a component of no bytes (a leading or a double slash)';
    case 'dot-component':
      return 'left out: "." and ".." cannot be names in a directory';
    case 'nul':
      return 'left out: a path cannot hold a NUL byte';
    case 'too-long':
      return 'left out: a component may have 255 bytes, a path 4,095';
    case 'not-utf8':
      return 'left out: the key is not valid UTF-8';
    case 'trailing-slash':
      return 'left out: a key that ends in a slash stands for a directory, and this one has content';
    case 'shadowed':
      return 'left out: there is a directory of the same path, which is shown in its place';
    case 'no-version':
      return 'left out, or shown as it was before: the listing has neither ETag nor date for it, so that nothing would tell when it changes';
    case 'unreadable-class':
      return 'shown, but reading it gives EIO: its storage class must be restored first';
    case 'bad-size':
      return 'left out, or shown as it was before: the store lists no size for it that can be';
    case 'bad-date':
      return 'shown, but its date is unknown: the store lists none, or one that cannot be understood';
    case 'unreadable-object':
      return 'shown, but reading it gives EIO: the store does not give its content';
    default: {
      const never: never = reason;
      return never;
    }
  }
}

/** In bytes. Of a longer key, a listing has only the beginning: see ListedObjects. */
const LONGEST_LISTED_KEY = 4096;
/** How many bytes of a longer key are shown. */
const SHOWN_BYTES = 255;

/**
 * Returns the key of a problem as {@link showKey} does; of a key that a listing has cut, only the beginning.
 */
export function nameKey(key: Uint8Array): string {
  if (key.length <= LONGEST_LISTED_KEY) return showKey(key);
  let end = SHOWN_BYTES;
  while (end > SHOWN_BYTES - 3 && (key[end]! & 0xc0) === 0x80) end--;
  return `${showKey(key.subarray(0, end))}…`;
}

/** Returns the key as text: unchanged if it is UTF-8, otherwise with each invalid byte as \xNN. */
export function showKey(key: Uint8Array): string {
  const bytes = Buffer.from(key);
  const text = bytes.toString();
  if (bytes.equals(Buffer.from(text))) return text;
  let shown = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    shown +=
      length === 0
        ? `\\x${bytes[at]!.toString(16).padStart(2, '0').toUpperCase()}`
        : bytes.toString('utf8', at, at + length);
    at += length === 0 ? 1 : length;
  }
  return shown;
}

/** Returns how many bytes the UTF-8 character at `at` has; 0 if no valid one begins there. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const part = bytes.subarray(at, at + length);
  return part.length === length && part.equals(Buffer.from(part.toString())) ? length : 0;
}
