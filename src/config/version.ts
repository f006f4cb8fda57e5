import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = 'dagmount';

/** The version of this package: of the nearest package.json above that is ours, in a clone as in an installation. */
export function packageVersion(): string {
  for (
    let directory = dirname(fileURLToPath(import.meta.url));
    directory !== dirname(directory);
    directory = dirname(directory)
  ) {
    const version = versionIn(join(directory, 'package.json'));
    if (version !== undefined) return version;
  }
  throw new Error(`the package.json of ${PACKAGE} is missing`);
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
  return name === PACKAGE ? version : undefined;
}
