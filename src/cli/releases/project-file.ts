import { existsSync, lstatSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import * as z from 'zod/mini';
import { isSystemError } from '../../base/system-error.ts';
import { ConfigError } from '../../config/config-error.ts';
import { nearest } from '../../config/nearest.ts';
import { yaml } from '../../config/yaml.ts';
import { HostError } from '../../host/host-error.ts';
import { readOwnOrRootsFile } from '../../host/own-file.ts';

export const PROJECT_FILE = 'dagmount.yaml';
/**
 * A likely misspelling, which dagmount refuses. A deploy that ignored this file would go to the address in
 * another file or variable.
 */
const MISNAMED_FILE = 'dagmount.yml';

/** A project file has some lines. A larger file is not a project file. */
const MOST_BYTES = 1024 * 1024;

/** The deploy settings of one environment, where they differ from those of the project. */
export interface ProjectEnvironment {
  /** The address of the release root, `s3://BUCKET/ROOT`. */
  readonly to: string | undefined;
  /** The name of the release root. */
  readonly root: string | undefined;
}

/** A project's deploy settings, so that a developer types only a file and an environment. */
export interface Project {
  /** The absolute path of the project file. */
  readonly file: string;
  /**
   * The absolute path of the directory that becomes the tree. Paths in the tree are relative to this
   * directory.
   */
  readonly tree: string;
  /** Whether the file names that directory. If not, it is the directory of the file. */
  readonly namesTree: boolean;
  readonly to: string | undefined;
  readonly root: string | undefined;
  /** The environments by name; undefined if any name is allowed. */
  readonly environments: ReadonlyMap<string, ProjectEnvironment> | undefined;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Shell commands. `{}` stands for a file; a command without `{}` runs once. */
  readonly checks: readonly string[];
  /** The absolute path of a file of allowed signers. */
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

const TEXTS = 'a list of texts';
/** The kind of each key's value, for error messages. */
const KINDS: Readonly<Record<keyof typeof document.shape, string>> = {
  tree: 'the path of a directory',
  to: 'the address s3://BUCKET/ROOT',
  root: 'the name of a root',
  environments: 'a list of names, or names with "to" and "root" of their own,',
  include: TEXTS,
  exclude: TEXTS,
  checks: TEXTS,
  signers: 'the path of a file',
};

/**
 * Reads the project of a file or directory: the nearest dagmount.yaml, from there upwards. Returns undefined
 * if there is none. Throws ConfigError if the file cannot be used.
 */
export function findProject(source: string): Project | undefined {
  const file = findProjectFile(source);
  return file === undefined ? undefined : readProject(file);
}

/**
 * Reads the project that several files belong to. Throws ConfigError if they belong to different projects.
 */
export function findCommonProject(sources: readonly [string, ...(readonly string[])]): Project | undefined {
  const [first] = sources;
  const file = findProjectFile(first);
  for (const source of sources) {
    const other = findProjectFile(source);
    if (other === file) continue;
    const words = (path: string, of: string | undefined): string => `${path} of ${of ?? 'none'}`;
    throw new ConfigError(
      'usage',
      `The files are of different projects: ${words(first, file)}, ${words(source, other)}.`,
      'Deploy those of each project by themselves.',
    );
  }
  return file === undefined ? undefined : readProject(file);
}

function findProjectFile(source: string): string | undefined {
  let directory = resolve(source);
  if (!existsSync(directory) || !statSync(directory).isDirectory()) directory = dirname(directory);
  for (;;) {
    const file = join(directory, PROJECT_FILE);
    if (isThere(file)) return file;
    const misnamed = join(directory, MISNAMED_FILE);
    if (isThere(misnamed)) {
      throw new ConfigError(
        'usage',
        `${misnamed} is not read: a project file is named ${PROJECT_FILE}.`,
        `Rename it to ${PROJECT_FILE}.`,
      );
    }
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
}

/**
 * Whether a file exists. Returns true also for a broken symbolic link: if that link were ignored, a project
 * file further up would apply.
 */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/**
 * Reads and checks a project file. Throws ConfigError `unreadable-file`, `untrusted-project`,
 * `unparsable-file`, `unknown-key` or `bad-value`; its message names the file and the key.
 */
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
 * Reads the text of a project file. Refuses another user's file: a shell runs the checks in it, and the
 * search for the file may reach /tmp and /.
 */
function read(file: string): string {
  try {
    return readOwnOrRootsFile(file, MOST_BYTES).toString('utf8');
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'other-owner') {
      throw new ConfigError(
        'untrusted-project',
        `${file} is the project file here, and ${error.reason}: its checks would run as you.`,
        'Remove it, or own it (chown) if you trust it.',
        error,
      );
    }
    throw new ConfigError(
      'unreadable-file',
      `${file} cannot be used as the project file: it ${error.code === 'missing' ? 'is a link that leads nowhere' : error.reason}.`,
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
  const [key] = issue?.path ?? [];
  const kind = KINDS[key as keyof typeof KINDS] ?? 'a mapping of keys to values';
  return new ConfigError(
    'bad-value',
    path === '' ? `${file} is not ${kind}.` : `${file} must have ${kind} for ${path}.`,
    'See docs/releases.md for an example.',
  );
}
