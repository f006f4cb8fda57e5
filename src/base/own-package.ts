import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = 'dagmount';

/** This package, installed or cloned. */
export interface OwnPackage {
  readonly directory: string;
  readonly version: string;
}

let found: OwnPackage | undefined;

/**
 * The package of which this process runs the code. Its package.json is read at the first call alone, because an upgrade
 * may replace it, and an uninstallation remove it, while this process runs.
 */
export function ownPackage(): OwnPackage {
  found ??= findOwnPackage();
  return found;
}

/** Searches the parent directories for dagmount's package.json: compiled files lie deeper than their sources. */
function findOwnPackage(): OwnPackage {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const version = versionIn(join(directory, 'package.json'));
    if (version !== undefined) return { directory, version };
    const parent = dirname(directory);
    if (parent === directory) throw new Error(`the package.json of ${NAME} is missing`);
    directory = parent;
  }
}

function versionIn(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const { name, version } = JSON.parse(text) as { readonly name?: string; readonly version?: string };
  return name === NAME ? version : undefined;
}
