/**
 * Returns the candidate that the user most likely meant by a mistyped word; undefined if no candidate is
 * close.
 */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  // Accepts one mistake per three characters, and at least one. With more mistakes, another word was meant.
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    const mistakes = distance(typed.toLowerCase(), candidate.toLowerCase());
    if (mistakes < least) {
      least = mistakes;
      best = candidate;
    }
  }
  return best;
}

/** Returns the value that a switch must have if its negation was written with the value `written`. */
export function oppositeValue(written: string): string {
  if (/^(true|yes|on|1)$/i.test(written)) return 'false';
  return /^(false|no|off|0)$/i.test(written) ? 'true' : 'true or false';
}

/**
 * Returns the number of insertions, deletions, substitutions and swaps of neighbours that lead from `a` to
 * `b`.
 */
function distance(a: string, b: string): number {
  let twoBack: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(
        (previous[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (previous[j - 1] as number) + same,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (twoBack[j - 2] as number) + 1);
      }
      row.push(cost);
    }
    twoBack = previous;
    previous = row;
  }
  return previous[b.length] as number;
}
