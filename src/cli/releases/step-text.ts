import { printable } from '../../base/printable.ts';
import type { TakenStep } from '../../deploy/current-step.ts';
import type { FileChanges } from '../../deploy/file-changes.ts';
import type { AuditedStep } from '../../deploy/history.ts';
import type { Signer } from '../../release/index.ts';
import { formatAgo, formatTable, plural } from '../format.ts';
import type { Paints } from '../paint.ts';

/** Maximum number of paths that are shown for each kind of change. Further paths are only counted. */
const MOST_PATHS = 20;

/** Formats a step for --json, with the field names of its payload. */
export function stepDocument({ payload, digest }: TakenStep): object {
  return {
    env: payload.environment,
    root: payload.root,
    seq: payload.sequence,
    action: payload.action,
    release: payload.release,
    manifest: payload.manifest,
    previous: payload.previous === undefined ? null : previousDocument(payload.previous),
    created: new Date(payload.created).toISOString(),
    notBefore: payload.notBefore === undefined ? null : new Date(payload.notBefore).toISOString(),
    allowDeletions: payload.allowDeletions,
    author: payload.author,
    message: payload.message,
    commit: payload.commit ?? null,
    url: payload.url ?? null,
    changes: payload.changes,
    payloadSha256: digest,
  };
}

function previousDocument({ sequence, ...rest }: NonNullable<TakenStep['payload']['previous']>): object {
  return { seq: sequence, ...rest };
}

export function auditedDocument({ sequence, step, signedBy, flaws }: AuditedStep): object {
  return { seq: sequence, ...(step !== undefined && stepDocument(step)), signedBy: signedBy ?? null, flaws };
}

/** Describes a step's changes to its deployer. */
export function stepText(step: TakenStep, changes: FileChanges, paints: Paints): string {
  const { environment, sequence, release, notBefore } = step.payload;
  const when = notBefore === undefined ? '' : `, to be shown at ${new Date(notBefore).toISOString()}`;
  return `${paints.bold(`${environment} step ${sequence}`)}  ${release}${when}\n${changesText(changes, paints)}`;
}

/** Returns the sentence that is added to the message of a failure after the step is in force. */
export function inForceText({ payload: { environment, sequence, release } }: TakenStep): string {
  return `Step ${sequence} of ${environment} is in force all the same: ${release}.`;
}

/** Formats changes like `dagmount diff`. */
export function changesText({ added, changed, removed }: FileChanges, paints: Paints): string {
  const lines = (paths: readonly string[], mark: string, paint: (text: string) => string): string[] => [
    ...paths.slice(0, MOST_PATHS).map((path) => paint(`${mark} ${printable(path)}\n`)),
    ...(paths.length > MOST_PATHS ? [`${mark} and ${plural(paths.length - MOST_PATHS, 'more file')}\n`] : []),
  ];
  return [
    ...lines(added, '+', paints.green),
    ...lines(changed, '~', paints.yellow),
    ...lines(removed, '-', paints.red),
  ].join('');
}

export function historyText(steps: readonly AuditedStep[], now: number, paints: Paints): string {
  const rows = steps.map(({ sequence, step, signedBy }) => {
    if (step === undefined) return [String(sequence), '', '', '', '', '', ''];
    const { action, release, created, author, message, changes } = step.payload;
    return [
      String(sequence),
      formatAgo(created, now),
      action,
      release.slice(0, 'sha256-'.length + 12),
      `+${changes.added} ~${changes.changed} -${changes.removed}`,
      author,
      signersText(signedBy),
      message.split('\n')[0] ?? '',
    ];
  });
  const header = ['STEP', 'WHEN', 'ACTION', 'RELEASE', 'FILES', 'AUTHOR', 'SIGNED BY', 'MESSAGE'];
  const flaws = steps.flatMap(({ sequence, flaws }) =>
    flaws.map((flaw) => paints.red(`step ${sequence}: ${printable(flaw)}\n`)),
  );
  return `${formatTable(header, rows)}${flaws.join('')}`;
}

export function signersText(signedBy: readonly Signer[] | undefined): string {
  if (signedBy === undefined) return 'not checked';
  return signedBy.length === 0
    ? 'no allowed signer'
    : signedBy.map(({ principals }) => principals).join(' and ');
}
