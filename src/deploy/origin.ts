import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';

/** The author of a deploy, and the state of its source, which each step records. */
export interface Origin {
  readonly author: string | undefined;
  readonly message: string | undefined;
  readonly commit: string | undefined;
  readonly url: string | undefined;
  /** Whether the directory has uncommitted changes. */
  readonly uncommitted: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const run = promisify(execFile);
const LONGEST_GIT_MS = 10_000;
/** Excludes the files that Python leaves beside its sources from `git status`: no release contains them. */
const NOT_RELEASED = [':(exclude,glob)**/__pycache__/**', ':(exclude)*.pyc'];

/**
 * Returns the origin of a directory: from the variables of GitHub Actions and GitLab CI; otherwise from git,
 * if the directory is in a work tree.
 */
export async function originOf(
  directory: string,
  environment: Environment,
  signal: AbortSignal,
): Promise<Origin> {
  const git = async (...args: string[]): Promise<string | undefined> => askGit(directory, args, signal);
  const [head, subject, name, email, status] = await Promise.all([
    git('rev-parse', '--verify', 'HEAD'),
    git('log', '-1', '--format=%s'),
    git('config', 'user.name'),
    git('config', 'user.email'),
    git('status', '--porcelain', '--', '.', ...NOT_RELEASED),
  ]);
  const ci = ciOrigin(environment);
  const person = name === undefined ? undefined : email === undefined ? name : `${name} <${email}>`;
  return {
    author: ci.author ?? person ?? loginName(environment),
    message: subject,
    commit: ci.commit ?? head,
    url: ci.url,
    uncommitted: status !== undefined,
  };
}

/** Returns whether `commit` is `before` or descends from it; undefined if git does not know both commits. */
export async function descends(
  directory: string,
  commit: string,
  before: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  for (const one of [commit, before]) {
    const kind = await askGit(directory, ['cat-file', '-t', one], signal);
    if (kind !== 'commit') return undefined;
  }
  try {
    await run('git', ['-C', directory, 'merge-base', '--is-ancestor', before, commit], {
      timeout: LONGEST_GIT_MS,
      signal,
    });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    return (error as { readonly code?: unknown }).code === 1 ? false : undefined;
  }
}

/** Returns what a git command prints; undefined if there is no git, no work tree, or no answer. */
async function askGit(
  directory: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', ['-C', directory, ...args], { timeout: LONGEST_GIT_MS, signal });
    return stdout.trim() || undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function ciOrigin(environment: Environment): Pick<Origin, 'author' | 'commit' | 'url'> {
  const { GITHUB_ACTIONS, GITHUB_ACTOR, GITHUB_SHA, GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID } =
    environment;
  if (GITHUB_ACTIONS === 'true') {
    const run = [GITHUB_SERVER_URL, GITHUB_REPOSITORY, 'actions/runs', GITHUB_RUN_ID];
    return {
      author: GITHUB_ACTOR || undefined,
      commit: GITHUB_SHA || undefined,
      url: run.every((part) => part !== undefined && part !== '') ? run.join('/') : undefined,
    };
  }
  const { GITLAB_CI, GITLAB_USER_NAME, GITLAB_USER_EMAIL, CI_COMMIT_SHA, CI_JOB_URL } = environment;
  if (GITLAB_CI === 'true') {
    const author = GITLAB_USER_EMAIL
      ? `${GITLAB_USER_NAME ?? ''} <${GITLAB_USER_EMAIL}>`.trim()
      : GITLAB_USER_NAME;
    return { author: author || undefined, commit: CI_COMMIT_SHA || undefined, url: CI_JOB_URL || undefined };
  }
  return { author: undefined, commit: undefined, url: undefined };
}

/**
 * Returns the name of this user. userInfo() throws if the user has no passwd entry, as in many containers.
 */
function loginName(environment: Environment): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return environment.USER || environment.LOGNAME || undefined;
  }
}
