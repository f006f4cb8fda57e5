import { printable } from '../../base/printable.ts';
import type { Standing } from '../../deploy/current-step.ts';
import type { DeployEnd } from '../../deploy/deploy.ts';
import type { FileChanges } from '../../deploy/file-changes.ts';
import { formatSize, plural } from '../format.ts';
import type { Paints } from '../paint.ts';
import type { Output } from '../shell.ts';
import { changesText, stepDocument, stepText } from './step-text.ts';

export function deployDocument(end: DeployEnd): object {
  return end.kind === 'unchanged'
    ? { deployed: false, step: end.standing.step && stepDocument(end.standing.step) }
    : {
        deployed: true,
        step: stepDocument(end.step),
        paths: end.changes,
        uploadedBytes: end.uploaded.bytes,
      };
}

export function deployText(end: DeployEnd, paints: Paints): string {
  if (end.kind === 'unchanged') {
    const { environment, sequence } = end.standing.step!.payload;
    return `${environment} shows these very files since step ${sequence}: nothing to deploy.\n`;
  }
  const { uploaded, step, changes } = end;
  const sent = `${formatSize(uploaded.bytes)} uploaded in ${plural(uploaded.packs, 'pack')}.\n`;
  return `${stepText(step, changes, paints)}${sent}`;
}

export function dryRunDocument(changes: FileChanges, { step }: Standing): object {
  return { deployed: false, onTopOf: step === undefined ? null : stepDocument(step), paths: changes };
}

export function dryRunText(changes: FileChanges, { step }: Standing, paints: Paints): string {
  const on =
    step === undefined ? 'nothing' : `step ${step.payload.sequence} by ${printable(step.payload.author)}`;
  return `On top of ${on}, this would be deployed:\n${changesText(changes, paints)}`;
}

export function tellProgress(done: number, all: number, err: Output): void {
  if (!err.isTerminal) return;
  err.rewrite(
    `dagmount: uploading, ${formatSize(done)} of ${formatSize(all)}   ${done === all ? '\r\n' : ''}`,
  );
}
