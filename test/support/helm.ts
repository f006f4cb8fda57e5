import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';

export const chart = join(repository, 'deploy/helm/dagmount');
const program = process.env.DAGMOUNT_TEST_HELM ?? join(repository, '.tools/helm/helm');
const python = join(repository, '.tools/kubernetes-validate/bin/python');

/** The reason, for a test's `skip`, why helm cannot run here; false if it can. */
export const helmMissing: string | false = existsSync(program)
  ? false
  : 'no .tools/helm: scripts/test --long builds it where Go is installed';
export const validatorMissing: string | false = existsSync(python)
  ? false
  : 'no .tools/kubernetes-validate: scripts/test --long installs it from PyPI';

export interface Rendered {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm; it keeps its own files in `directory`. */
export function helm(directory: string, ...args: readonly string[]): Rendered {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
    env: { PATH: process.env.PATH, HOME: directory, HELM_NO_PLUGINS: '1' },
  });
  return { code: status, stdout, stderr };
}

/** The manifests that the chart gives for these values. */
export function render(directory: string, values: object, ...flags: readonly string[]): Rendered {
  const file = join(directory, 'values.json');
  writeFileSync(file, JSON.stringify(values));
  return helm(
    directory,
    'template',
    'release',
    chart,
    '--namespace',
    'kube-system',
    '--values',
    file,
    ...flags,
  );
}

/** The errors in manifests, as lines of JSON. */
export function faultsOf(versions: readonly string[], files: readonly string[]): readonly string[] {
  const script = join(repository, 'test/support/kubernetes/validate.py');
  const { status, stdout, stderr } = spawnSync(python, [script, versions.join(','), ...files], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.split('\n').filter((line) => line !== '');
}
