/** The results that endure.py prints. */
export interface Outlived {
  readonly operations: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
  /** Start and length of long calls, in seconds; the start is of CLOCK_MONOTONIC. */
  readonly slow: readonly (readonly [start: number, seconds: number, call: string])[];
}

/** Seconds of CLOCK_MONOTONIC, which all processes share. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}

/** The longest call of each kind. */
export function longestByCall(readers: readonly Outlived[]): string {
  const longest = new Map<string, number>();
  for (const [, seconds, call] of readers.flatMap(({ slow }) => slow)) {
    longest.set(call, Math.max(longest.get(call) ?? 0, seconds));
  }
  return [...longest].map(([call, seconds]) => `${call} ${Math.round(1000 * seconds)}`).join(', ');
}

/** Two moments of CLOCK_MONOTONIC, in seconds. */
export type Span = readonly [from: number, until: number];

/** For each of these spans, the longest call of any reader that was under way in it, in milliseconds. */
export function pausesIn(spans: readonly Span[], readers: readonly Outlived[]): readonly number[] {
  const calls = readers.flatMap(({ slow }) => slow);
  return spans.map(([from, until]) => {
    let longest = 0;
    for (const [start, seconds] of calls) {
      if (start + seconds > from && start < until) longest = Math.max(longest, seconds);
    }
    return Math.round(1000 * longest);
  });
}

/** The longest calls, by the number of these moments in them; a call with none of them waited for something else. */
export function longestByMoments(moments: readonly number[], readers: readonly Outlived[]): string {
  const longest = new Map<number, number>();
  for (const [start, seconds] of readers.flatMap(({ slow }) => slow)) {
    const outlasted = moments.filter((moment) => moment > start && moment < start + seconds).length;
    longest.set(outlasted, Math.max(longest.get(outlasted) ?? 0, seconds));
  }
  const sorted = [...longest].sort(([a], [b]) => a - b);
  return sorted.map(([outlasted, seconds]) => `${outlasted}: ${Math.round(1000 * seconds)}`).join(', ');
}

/** The spans from each moment to the next; the last moment only ends a span. */
export function spansBetween(moments: readonly number[]): readonly Span[] {
  return moments.slice(0, -1).map((moment, index) => [moment, moments[index + 1] as number]);
}

export function distribution(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number | undefined =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const shares = [0, 0.25, 0.5, 0.75, 0.9, 0.99];
  return [...shares.map((share) => `p${share * 100} ${at(share)}`), `longest ${sorted.at(-1)}`].join(', ');
}
