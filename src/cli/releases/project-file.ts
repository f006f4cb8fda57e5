import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import * as z from 'zod/mini';
import { ConfigError } from '../../config/config-error.ts';
import { nearest } from '../../config/nearest.ts';
import { yaml } from '../../config/yaml.ts';
import { HostError } from '../../host/host-error.ts';
import { readOwnOrRootsFile } from '../../host/own-file.ts';

export const PROJECT_FILE = 'dagmount.yaml';

/** A project file has some lines; one that is larger is none. */
const MOST_BYTES = 1024 * 1024;

/** The deploy settings of one environment, if they differ from the others. */
export interface ProjectEnvironment {
  /** `s3://BUCKET/ROOT` */
  readonly to: string | undefined;
  /** The name of the release root. */
  readonly root: string | undefined;
}

/** A project's deploy settings, so that a developer types only a file and an environment. */
export interface Project {
  /** Absolute. */
  readonly file: string;
  /** The directory that becomes the tree, absolute: paths in the tree are those below it. */
  readonly tree: string;
  /** Whether the file defines that directory; otherwise it is the file's own. */
  readonly namesTree: boolean;
  readonly to: string | undefined;
  readonly root: string | undefined;
  /** By name; undefined: any name will do. */
  readonly environments: ReadonlyMap<string, ProjectEnvironment> | undefined;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Shell commands, `{}` for a file; without it they are run once. */
  readonly checks: readonly string[];
  /** A file of allowed signers, absolute. */
  readonly signers: string | undefined;
}

const text = z.string().check(z.minLength(1));
const environment = z.strictObject({ to: z.optional(text), root: z.optional(text) });
const document = z.strictObject({
  tree: z.optional(text),
  to: z.optional(text),
  root: z.optional(text),
  environments: z.optional(z.union([z.array(text), z.record(z.string(), z.nullable(environment))])),
  include: z.optional(z.array(text)),
  exclude: z.optional(z.array(text)),
  checks: z.optional(z.array(text)),
  signers: z.optional(text),
});

/** The project of a file or directory: the nearest dagmount.yaml from there upwards; undefined: there is none. */
export function findProject(source: string): Project | undefined {
  let directory = resolve(source);
  if (!existsSync(directory) || !statSync(directory).isDirectory()) directory = dirname(directory);
  for (;;) {
    const file = join(directory, PROJECT_FILE);
    if (existsSync(file)) return readProject(file);
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
}

/** Throws ConfigError `unreadable-file`, `unparsable-file`, `unknown-key` or `bad-value`, which name file and key. */
export function readProject(file: string): Project {
  const parsed = document.safeParse(parse(file) ?? {});
  if (!parsed.success) throw refused(file, parsed.error.issues[0]);
  const { tree, to, root, environments, include = [], exclude = [], checks = [], signers } = parsed.data;
  const at = (path: string): string => (isAbsolute(path) ? path : resolve(dirname(file), path));
  return {
    file,
    tree: at(tree ?? '.'),
    namesTree: tree !== undefined,
    to,
    root,
    environments: environments === undefined ? undefined : environmentsOf(environments),
    include,
    exclude,
    checks,
    signers: signers === undefined ? undefined : at(signers),
  };
}

function environmentsOf(
  given:
    | readonly string[]
    | Readonly<Record<string, { to?: string | undefined; root?: string | undefined } | null>>,
): ReadonlyMap<string, ProjectEnvironment> {
  const none = { to: undefined, root: undefined };
  if (Array.isArray(given)) return new Map(given.map((name: string) => [name, none]));
  return new Map(Object.entries(given).map(([name, one]) => [name, { ...none, ...one }]));
}

function parse(file: string): unknown {
  const content = read(file);
  try {
    return yaml().parse(content, { prettyErrors: false });
  } catch (error) {
    const words = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new ConfigError(
      'unparsable-file',
      `${file} is no valid YAML: ${words}.`,
      'See docs/releases.md for one.',
      error,
    );
  }
}

/**
 * Its checks are run by a shell, and the search goes upwards as far as /tmp and /: a file that another user put there must
 * not decide what runs.
 */
function read(file: string): string {
  try {
    return readOwnOrRootsFile(file, MOST_BYTES).toString('utf8');
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'other-owner') {
      throw new ConfigError(
        'bad-value',
        `${file} is the project file here, and ${error.reason}: its checks would run as you.`,
        'Remove it, or own it (chown) if you trust it.',
        error,
      );
    }
    throw new ConfigError(
      'unreadable-file',
      `${file} cannot be used as the project file: it ${error.reason}.`,
      'Check its permissions and what it is, or move it away.',
      error,
    );
  }
}

function refused(file: string, issue: z.core.$ZodIssue | undefined): ConfigError {
  const path = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const known = path === '' ? Object.keys(document.shape) : Object.keys(environment.shape);
    const meant = nearest(key, known);
    const hint = meant === undefined ? `It has ${known.join(', ')}.` : `Did you mean ${meant}?`;
    return new ConfigError(
      'unknown-key',
      `${file} sets ${path === '' ? key : `${path}.${key}`}, which is not known.`,
      hint,
    );
  }
  return new ConfigError(
    'bad-value',
    `${path || 'The content'} in ${file} is not what it should be.`,
    'See docs/releases.md for an example.',
  );
}
