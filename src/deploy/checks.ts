import { printableName } from '../base/printable.ts';
import { DeployError } from './deploy-error.ts';
import { runProgram } from './run-program.ts';
import type { SourceFile } from './source-files.ts';

/** The result of a check: `findings` prevent the deploy, `notes` are shown. */
export interface CheckResult {
  readonly findings: readonly string[];
  readonly notes: readonly string[];
}

/** Parses all files in one process: starting Python takes as long as parsing hundreds of files. */
const PARSER = `
import ast, io, json, sys, tokenize, warnings
warnings.simplefilter("ignore")
for line in sys.stdin:
    path, source = json.loads(line)
    try:
        with open(source, "rb") as file:
            compile(file.read(), path, "exec", ast.PyCF_ONLY_AST, True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = getattr(error, "lineno", None)
        print(json.dumps([path, where, getattr(error, "msg", None) or type(error).__name__]), flush=True)
`;

const LONGEST_PARSE_MS = 120_000;

/**
 * Checks with this host's Python whether every Python file parses. Returns a note if there is no Python, or
 * if it fails.
 */
export async function checkPython(files: readonly SourceFile[], signal: AbortSignal): Promise<CheckResult> {
  const sources = files.filter(({ path }) => path.endsWith('.py'));
  if (sources.length === 0) return { findings: [], notes: [] };
  const lines = sources.map(({ path, source }) => `${JSON.stringify([path, source])}\n`).join('');
  try {
    // -I: Python imports nothing from the deployed directory or from PYTHONPATH.
    const { code, said, complained } = await runProgram('python3', ['-I', '-c', PARSER], lines, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_PARSE_MS)]),
    });
    if (code !== 0)
      return {
        findings: [],
        notes: [
          `Python files were not parsed: python3 ended with ${code} (${complained.trim().slice(-200)})`,
        ],
      };
    return { findings: said.split('\n').filter(Boolean).map(syntaxError), notes: [] };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return { findings: [], notes: ['Python files were not parsed: there is no python3 on this host'] };
    }
    throw error;
  }
}

function syntaxError(line: string): string {
  const [path, where, words] = JSON.parse(line) as [string, number | null, string];
  return where === null
    ? `${printableName(path)} does not parse: ${words}`
    : `${printableName(path)}, line ${where}, does not parse: ${words}`;
}

/**
 * Patterns of texts that look like credentials. A match is only a note, because the text may be an example.
 */
const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, 'an AWS access key'],
  [/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/, 'a private key'],
  [/\bgh[pousr]_[A-Za-z0-9]{36}\b/, 'a GitHub token'],
  [/\bglpat-[A-Za-z0-9_-]{20}\b/, 'a GitLab token'],
  [/\bxox[abpr]-[A-Za-z0-9-]{10,}/, 'a Slack token'],
  [
    /\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@'"{}<>$]+:[^\s:/@'"{}<>$]{6,}@[a-z0-9.-]+\.[a-z]{2,}/i,
    'a password in an address',
  ],
];

/**
 * Returns a note for each kind of credential that a file seems to have.
 *
 * @param content the content of the file, or its beginning
 */
export function credentialsIn(path: string, content: string): readonly string[] {
  return CREDENTIALS.filter(([pattern]) => pattern.test(content)).map(
    ([, what]) => `${printableName(path)} has what looks like ${what}`,
  );
}

/** The exit codes of a shell that could not run a command. */
const [NOT_EXECUTABLE, NOT_FOUND] = [126, 127];

/**
 * Runs a command of the project once. If the command contains `{}`, that stands for `target`: the caller then
 * calls this for each file, otherwise once for the directory.
 *
 * @throws {DeployError} `check-failed` with the output of the command
 */
export async function runCommand(
  command: string,
  target: string,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  // The path is an argument of the script, so that the shell never reads a file name as a command.
  const script = command.replaceAll('{}', '"$1"');
  const { code, said, complained } = await runProgram('sh', ['-c', script, 'check', target], undefined, {
    cwd: directory,
    signal,
  });
  if (code === 0) return;
  if (code === NOT_FOUND || code === NOT_EXECUTABLE) {
    throw new DeployError(
      'check-failed',
      `the check ${JSON.stringify(command)} cannot be run: ${complained.trim().slice(-200)}`,
      'Install what it runs, change the checks in dagmount.yaml, or deploy with --no-check.',
    );
  }
  const words = `${said}\n${complained}`.trim().split('\n').slice(-10).join('\n');
  throw new DeployError(
    'check-failed',
    `the check ${JSON.stringify(command)} failed for ${printableName(target)}${words === '' ? '' : `:\n${words}`}`,
    'Repair what it found, or deploy with --no-check.',
  );
}
