import type { HistoryItem, Status } from '../../control/shapes/status.ts';
import { changeLines } from '../client/diff.ts';
import { armedText, heldLine, isRefHeld, releaseLine } from '../client/release-text.ts';
import { formatAgo, formatCount, formatSize, plural } from '../format.ts';
import { paintsFor } from '../paint.ts';
import { type Figures, sumOf, type Traffic } from './figures.ts';
import { BLANK, fact, type Line, type Span, type Style, span, title } from './line.ts';
import type { Moment } from './moment.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface View {
  readonly moment: Moment;
  readonly figures: Figures;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Seconds since the daemon last answered; undefined while it answers. */
  readonly silentFor: number | undefined;
}

const plain = paintsFor({ colours: false });
const NAME_WIDTH = 16;
const NUMBER_WIDTH = 11;
/** Minimum number of opcodes that are shown on a small screen. */
const FEWEST_OPCODES = 4;
const NOT_SEEN = 'What the kernel answers from its own caches, most reads among them, is not seen here.';

/** Returns the lines of the whole screen, from top to bottom; never more than the screen has rows. */
export function viewLines(view: View, size: Size): readonly Line[] {
  const { figures, moment } = view;
  const head = [...headLines(view, size), BLANK];
  const cache = [...cacheLines(moment.status, figures, size), BLANK];
  const store = [...storeLines(moment.status, figures, size), BLANK];
  const changes = changesLines(moment, view.now, size);
  const fewest = Math.min(changes.length, 1 + Math.max(3, Math.floor(size.rows / 4)));
  const fixed = head.length + cache.length + store.length + fewest;
  const kernel = [...kernelLines(figures, size, size.rows - fixed), BLANK];
  return [...head, ...kernel, ...cache, ...store, ...changes].slice(0, size.rows);
}

function headLines({ moment, now, silentFor }: View, { columns }: Size): readonly Line[] {
  const { status } = moment;
  const { mount, generation, source, held, version, pid, startedAt } = status;
  const clock = new Date(now).toISOString().slice(11, 19);
  const right = `${clock} UTC   q: quit `;
  const left = ` dagmount top   ${mount.source} on ${mount.target}`;
  const room = Math.max(0, columns - right.length - 1);
  const name = left.length > room ? `${left.slice(0, Math.max(0, room - 1))}…` : left;
  return [
    title(`${name.padEnd(room)} ${right}`, columns),
    ...(silentFor === undefined
      ? []
      : [fact('daemon', span(`does not answer for ${Math.round(silentFor)} s; what follows is old`, 'bad'))]),
    fact('state', stateSpan(status), span(`, ${servedText(status)}`)),
    generation === null
      ? fact('generation', span('none yet', 'warning'))
      : fact(
          'generation',
          span(`${generation.number} ${generation.id}`, 'bold'),
          span(
            `, published ${ago(generation.publishedAt, now)}: ${plural(generation.files, 'file')}, ${formatSize(generation.bytes)}`,
          ),
        ),
    ...(status.release ? [fact('release', span(releaseLine(status.release), 'bold'))] : []),
    ...(status.release?.armed ? [fact('armed', span(armedText(status.release.armed, now), 'warning'))] : []),
    sourceLine(source, now),
    ...(held === null ? [] : [fact('held', span(`since ${ago(held.since, now)}: ${heldText(held)}`, 'bad'))]),
    fact('daemon', span(`pid ${pid}, version ${version}, started ${ago(startedAt, now)}`)),
  ];
}

function heldText(held: NonNullable<Status['held']>): string {
  if (isRefHeld(held)) return `${heldLine(held)}; see dagmount status`;
  return `${held.reason}, ${plural(held.removed, 'file')} would be gone; see dagmount accept`;
}

function stateSpan({ ready, degraded }: Status): Span {
  if (degraded.length > 0)
    return span(`${ready ? '' : 'not ready, '}degraded: ${degraded.join(', ')}`, 'bad');
  return ready ? span('ready', 'good') : span('not ready', 'warning');
}

function servedText({ mount, problems }: Status): string {
  const supervised = mount.supervised ? 'supervised' : 'not supervised';
  const left = problems === 0 ? '' : `, ${plural(problems, 'key')} not shown as it is`;
  return `${mount.driver} driver, ${supervised}, ${plural(mount.restarts, 'restart')}${left}`;
}

function sourceLine(source: Status['source'], now: number): Line {
  const { lastSuccessAt, lastError, failingSince, consecutiveFailures } = source;
  const seen = lastSuccessAt === null ? 'never seen' : `the tree is as of ${ago(lastSuccessAt, now)}`;
  if (lastError === null || failingSince === null) return fact('store', span(seen, 'good'));
  const failing = `failing since ${ago(failingSince, now)} (${plural(consecutiveFailures, 'failure')}): ${lastError.message}`;
  return fact('store', span(`${seen}; `), span(failing, 'bad'));
}

function kernelLines(figures: Figures, size: Size, rows: number): readonly Line[] {
  const { kernel, timesKernel } = figures;
  const notes: Line[] = [[span(NOT_SEEN, 'dim')], [span(windowNote(figures.window), 'dim')]];
  if (!timesKernel) notes.push([span('This daemon does not tell how long its answers take.', 'dim')]);
  if (kernel.length === 0) notes.unshift([span('No request has been counted.', 'dim')]);
  const most = Math.max(FEWEST_OPCODES, rows - notes.length - 3);
  return [
    tableTitle('FROM THE KERNEL', size),
    ...kernel.slice(0, most).map((traffic) => trafficLine(traffic, undefined)),
    ...(kernel.length > 1 ? [trafficLine({ name: 'all', ...sumOf(kernel) }, 'bold')] : []),
    ...notes,
  ];
}

function storeLines({ source }: Status, figures: Figures, size: Size): readonly Line[] {
  const { store } = figures;
  const lines = store.map((traffic) => trafficLine(traffic, undefined));
  return [
    tableTitle('TO THE STORE', size, 'ERRORS'),
    ...(lines.length > 0 ? lines : [[span('No request has been counted.', 'dim')]]),
    ...(source.lastError === null ? [] : [fact('last error', span(source.lastError.message, 'bad'))]),
  ];
}

function cacheLines({ cache }: Status, figures: Figures, { columns }: Size): readonly Line[] {
  const { bytes, limitBytes, entries, pendingFiles, pendingBytes, evictions, corrupt } = cache;
  const { hitRate, asked, hitRateEver, readErrors, window } = figures;
  const lately =
    hitRate === undefined
      ? `nothing asked in ${windowText(window)}`
      : `${percent(hitRate)} hits of ${formatCount(asked)} asked in ${windowText(window)}`;
  const ever = hitRateEver === undefined ? '' : `, ${percent(hitRateEver)} ever`;
  const errors = [...readErrors].filter(([, count]) => count > 0);
  const pending =
    pendingFiles === 0
      ? []
      : [span(`, ${plural(pendingFiles, 'file')} (${formatSize(pendingBytes)}) to fetch`, 'warning')];
  return [
    title(' CACHE', columns),
    fact('asked', span(lately + ever)),
    fact(
      'content',
      span(
        `${formatSize(bytes)} of ${formatSize(limitBytes)}, ${plural(entries, 'blob')}, ${formatCount(evictions)} evicted, `,
      ),
      span(`${formatCount(corrupt)} corrupt`, corrupt > 0 ? 'bad' : 'plain'),
      ...pending,
    ),
    ...(errors.length === 0
      ? []
      : [
          fact(
            'failed',
            span(
              `reads: ${errors.map(([errno, count]) => `${formatCount(count)} ${errno}`).join(', ')}`,
              'bad',
            ),
          ),
        ]),
  ];
}

function changesLines({ history, changes }: Moment, now: number, { columns, rows }: Size): readonly Line[] {
  const [newest, ...older] = history;
  const lines: Line[] = [title(' LAST CHANGES', columns)];
  if (newest === undefined) return lines;
  lines.push(historyLine(newest, now));
  if (changes !== undefined) {
    const paths = changeLines(changes, plain);
    const most = Math.max(1, rows - lines.length - older.length);
    for (const path of paths.slice(0, most)) lines.push([span(`  ${path}`, styleOf(path))]);
  }
  return [...lines, ...older.map((item) => historyLine(item, now))];
}

function historyLine(
  { number, publishedAt, added, changed, removed, release }: HistoryItem,
  now: number,
): Line {
  const counts = `+${formatCount(added)} ~${formatCount(changed)} -${formatCount(removed)}`;
  const by = release === undefined ? '' : `  ${releaseLine(release)}`;
  return [span(String(number).padEnd(8), 'bold'), span(ago(publishedAt, now).padEnd(18)), span(counts + by)];
}

function styleOf(change: string): Style {
  if (change.startsWith('+')) return 'good';
  return change.startsWith('-') ? 'bad' : 'warning';
}

function tableTitle(name: string, { columns }: Size, extra = ''): Line {
  const heads = ['NOW/s', 'AVG/s', 'TOTAL', 'P50', 'P90', 'P99', extra];
  const cells = heads.map((head) => head.padStart(NUMBER_WIDTH)).join('');
  return title(` ${name}`.padEnd(NAME_WIDTH) + cells, columns);
}

function trafficLine(
  traffic: Pick<Traffic, 'name' | 'now' | 'minute' | 'total'> & Partial<Pick<Traffic, 'errors' | 'latency'>>,
  style: Style | undefined,
): Line {
  const { name, now, minute, total, errors, latency } = traffic;
  const cells = [rateText(now), rateText(minute), formatCount(total)];
  const times =
    latency === undefined ? ['-', '-', '-'] : [latency.p50, latency.p90, latency.p99].map(secondsText);
  const isSum = style === 'bold';
  return [
    span(` ${name}`.padEnd(NAME_WIDTH), style ?? 'plain'),
    span(
      [...cells, ...(isSum ? [] : times)].map((cell) => cell.padStart(NUMBER_WIDTH)).join(''),
      style ?? 'plain',
    ),
    ...(errors === undefined
      ? []
      : [span(formatCount(errors).padStart(NUMBER_WIDTH), errors > 0 ? 'bad' : 'plain')]),
  ];
}

/** Formats a rate: `0`, `<0.1`, `0.3`, `12`, `1,234`. */
export function rateText(rate: number): string {
  if (rate === 0) return '0';
  if (rate < 0.05) return '<0.1';
  return rate < 10 ? rate.toFixed(1) : formatCount(rate);
}

/** Formats seconds: `45 µs`, `1.2 ms`, `3.4 s`. */
export function secondsText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '> 30 s';
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  return seconds < 1 ? `${threeDigits(seconds * 1000)} ms` : `${threeDigits(seconds)} s`;
}

function threeDigits(number: number): string {
  return number < 10 ? number.toFixed(1) : String(Math.round(number));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function windowNote(seconds: number): string {
  const span = seconds >= 59 ? 'the last minute' : `the ${Math.round(seconds)} s since this began`;
  return `AVG and P50 to P99 are of ${span}, NOW is of the last second.`;
}

function windowText(seconds: number): string {
  return seconds >= 59 ? 'the last minute' : `the last ${Math.round(seconds)} s`;
}

function ago(time: string, now: number): string {
  return formatAgo(Date.parse(time), now);
}
