import { open } from 'node:fs/promises';
import { inOrder } from '../base/in-order.ts';
import { printableName } from '../base/printable.ts';
import { checkPython, credentialsIn, runCommand } from './checks.ts';
import type { Standing, TakenStep } from './current-step.ts';
import type { Deployed } from './deploy.ts';
import { DeployError } from './deploy-error.ts';
import type { FileChanges } from './file-changes.ts';
import { descends } from './origin.ts';
import { READING, type SourceFile } from './source-files.ts';
import type { PlannedFile } from './upload.ts';

export interface TreeChecks {
  /** The working directory of git and of the commands. */
  readonly directory: string;
  /**
   * The commands of the project file and of --check. A command with `{}` runs once for each changed file,
   * others run once.
   */
  readonly commands: readonly string[];
  /** Whether to look for paths that differ only by case, parse Python files, and look for credentials. */
  readonly builtIn: boolean;
  /** The git commit of the deployed files. */
  readonly commit: string | undefined;
  readonly allowOlder: boolean;
  /** Finds the steps that last changed these paths. */
  readonly lastDeployers: (
    paths: readonly string[],
    standing: Standing,
  ) => Promise<ReadonlyMap<string, TakenStep>>;
  /** Called with notes, which do not prevent a deploy. */
  readonly note: (sentence: string) => void;
}

/** How many findings an error names; it only counts further ones. */
const MOST_TOLD = 10;
/** How many of the paths that an older tree would revert an error names. */
const MOST_UNDONE_TOLD = 5;
/** How much of a file is searched for credentials, from its beginning. */
const LOOKED_THROUGH_BYTES = 1024 * 1024;

/**
 * Checks the files to deploy and the resulting tree, before anything is written.
 *
 * @throws {DeployError} `check-failed` if a check rejects the files; `overtaken` if the commit of the
 *   directory does not contain the commit that is shown
 */
export async function checkTree(
  deployed: Deployed,
  files: readonly PlannedFile[],
  changes: FileChanges,
  standing: Standing,
  checks: TreeChecks,
  signal: AbortSignal,
): Promise<void> {
  if (files.length === 0) {
    throw new DeployError(
      'check-failed',
      'the tree would have no files',
      'Check the directory and the filters: Airflow deactivates every DAG of an empty folder.',
    );
  }
  if (deployed.kind === 'tree' && !checks.allowOlder) await refuseOlder(standing, changes, checks, signal);
  const fresh = changedSources(deployed.files, changes);
  if (checks.builtIn) {
    const clashes = caseClashes(files, changes.added);
    if (clashes.length > 0) throw failed(clashes);
    const { findings, notes } = await checkPython(fresh, signal);
    if (findings.length > 0) throw failed(findings);
    for (const sentence of [...notes, ...(await credentialsOf(fresh, signal))]) checks.note(sentence);
  }
  for (const command of checks.commands) {
    const targets = command.includes('{}') ? fresh.map(({ source }) => source) : [checks.directory];
    for (const target of targets) await runCommand(command, target, checks.directory, signal);
  }
}

/** Returns the added and changed files. Files that are already shown were checked when they were deployed. */
function changedSources(
  files: readonly SourceFile[],
  { added, changed }: FileChanges,
): readonly SourceFile[] {
  const paths = new Set([...added, ...changed]);
  return files.filter(({ path }) => paths.has(path));
}

/**
 * @throws {DeployError} `overtaken` if the commit does not contain the shown commit; the error names the
 *   changes that would be reverted, and their deployers
 */
async function refuseOlder(
  standing: Standing,
  { removed, changed }: FileChanges,
  { directory, commit, lastDeployers }: TreeChecks,
  signal: AbortSignal,
): Promise<void> {
  const { step } = standing;
  const shown = step?.payload.commit;
  if (step === undefined || shown === undefined || commit === undefined) return;
  if ((await descends(directory, commit, shown, signal)) !== false) return;
  const undone = [...removed, ...changed];
  const named = undone.slice(0, MOST_UNDONE_TOLD);
  const deployers = await lastDeployers(named, standing);
  const words = named.map((path) => {
    const by = deployers.get(path)?.payload;
    const who = by === undefined ? '' : ` (step ${by.sequence} by ${by.author})`;
    return `${removed.includes(path) ? 'remove' : 'change back'} ${printableName(path)}${who}`;
  });
  if (undone.length > named.length) words.push(`and ${undone.length - named.length} more`);
  throw new DeployError(
    'overtaken',
    `${commit.slice(0, 12)} does not have the commit that is shown (${shown.slice(0, 12)}, by ${step.payload.author}): ` +
      `it would ${words.length === 0 ? 'go back behind it' : words.join(', ')}`,
    'Merge that commit and deploy again; if it is meant, pass --allow-older.',
  );
}

/**
 * Returns a finding for each added path that differs from another path only by case, or by the Unicode
 * normalization of its letters. On a laptop whose filesystem treats both as one file, the next checkout has
 * only one of them.
 */
function caseClashes(files: readonly PlannedFile[], added: readonly string[]): readonly string[] {
  const isAdded = new Set(added);
  const byFolded = new Map<string, string>();
  for (const { path } of files) if (!isAdded.has(path)) byFolded.set(folded(path), path);
  return added.flatMap((path) => {
    const other = byFolded.get(folded(path));
    byFolded.set(folded(path), path);
    return other === undefined
      ? []
      : [`the path ${printableName(path)} differs from ${printableName(other)} by case alone`];
  });
}

function folded(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

async function credentialsOf(files: readonly SourceFile[], signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  const look = async ({ path, source, size }: SourceFile): Promise<readonly string[]> => {
    const handle = await open(source);
    try {
      const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(size, LOOKED_THROUGH_BYTES)));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      return credentialsIn(path, buffer.toString('latin1', 0, bytesRead));
    } finally {
      await handle.close();
    }
  };
  for await (const each of inOrder(files, look, { ...READING, signal })) {
    found.push(...each);
    if (found.length >= MOST_TOLD) break;
  }
  return found;
}

function failed(findings: readonly string[]): DeployError {
  const more = findings.length > MOST_TOLD ? `; and ${findings.length - MOST_TOLD} more` : '';
  return new DeployError(
    'check-failed',
    `${findings.slice(0, MOST_TOLD).join('; ')}${more}`,
    'Repair these files, or deploy with --no-check.',
  );
}
