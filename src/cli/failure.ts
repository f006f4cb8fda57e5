import { printable, printableLines } from '../base/printable.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** An error as a user meets it. */
export interface Failure {
  readonly exitCode: ExitCode;
  /** Of the error; undefined for one that nobody foresaw. */
  readonly code: string | undefined;
  /** One sentence of what is wrong. */
  readonly message: string;
  /** One sentence of what to do. */
  readonly hint: string;
  /** Where it came from; shown only on demand. */
  readonly stack: string | undefined;
}

const {
  usage,
  dataError,
  noInput,
  unavailable,
  software,
  osError,
  cannotCreate,
  temporary,
  noPermission,
  config,
} = exitCodes;

/** The codes of every typed error; those of different classes never collide. */
const EXIT_CODES: Readonly<Record<string, ExitCode>> = {
  // ConfigError
  usage,
  'malformed-address': usage,
  'unknown-key': config,
  'bad-value': config,
  'unreadable-file': noInput,
  'unparsable-file': dataError,
  'runtime-unsafe': cannotCreate,
  'runtime-unwritable': cannotCreate,
  // CommandError
  'not-mounted': noInput,
  'not-dagmount': cannotCreate,
  'daemon-lingers': temporary,
  'no-daemon': unavailable,
  'several-daemons': usage,
  'no-generation': noInput,
  'no-entry': noInput,
  'no-source': noInput,
  'no-release': noInput,
  'node-lags': temporary,
  'no-terminal': usage,
  interrupted: temporary,
  'output-failed': cannotCreate,
  'daemon-failed': software,
  // StoreError
  unreachable: unavailable,
  throttled: unavailable,
  changed: unavailable,
  gone: unavailable,
  corrupt: unavailable,
  'clock-skew': unavailable,
  'unreadable-class': unavailable,
  aborted: unavailable,
  'bad-request': unavailable,
  'bad-answer': unavailable,
  denied: noPermission,
  expired: noPermission,
  'no-credentials': noPermission,
  'no-such-bucket': noInput,
  'wrong-region': config,
  'untrusted-certificate': config,
  'not-s3': config,
  // ControlError
  'socket-too-long': config,
  'socket-unsafe': cannotCreate,
  'socket-in-use': temporary,
  'socket-unusable': cannotCreate,
  'address-in-use': temporary,
  'address-unusable': config,
  // ClientError: its own, then those of problem details; the others are faults of dagmount's own
  'daemon-unavailable': unavailable,
  'daemon-silent': temporary,
  'socket-denied': noPermission,
  unintelligible: unavailable,
  'not-found': noInput,
  'nothing-held': noInput,
  held: temporary,
  'held-changed': temporary,
  'bad-parameter': usage,
  'bad-body': usage,
  'generation-gone': noInput,
  'request-timeout': temporary,
  'source-unreachable': unavailable,
  'source-throttled': unavailable,
  'source-denied': noPermission,
  stopping: unavailable,
  'timed-out': temporary,
  'restart-failed': software,
  'restart-unclear': temporary,
  unsupervised: unavailable,
  'no-tree': unavailable,
  'too-many-listeners': temporary,
  'never-seen': noInput,
  excluded: noInput,
  'left-out': noInput,
  // What became of a path that dagmount cache was given
  'not-pinned': noInput,
  pinned: temporary,
  'too-many': usage,
  'no-room': temporary,
  // SettingError
  'bad-setting': config,
  // SyncError
  'empty-source': noInput,
  'release-held': dataError,
  'release-early': temporary,
  // PackError
  'missing-pack': dataError,
  // ReleaseError
  malformed: dataError,
  mismatch: dataError,
  'bad-signature': dataError,
  'unsupported-key': dataError,
  'unknown-signer': noPermission,
  'bad-signers-file': config,
  // DeployError
  overtaken: temporary,
  armed: temporary,
  'put-back': dataError,
  'log-differs': dataError,
  'write-refused': unavailable,
  'invalid-step': usage,
  'unconditional-store': config,
  'no-such-release': noInput,
  'check-failed': dataError,
  unsigned: noPermission,
  'unusable-source': dataError,
  'unreadable-ignore-file': unavailable,
  overdue: unavailable,
  // TreeError: the others are faults of dagmount's own
  'bad-pattern': config,
  // CacheError
  'cache-unwritable': cannotCreate,
  'cache-unsafe': cannotCreate,
  'cache-in-use': temporary,
  'cache-closed': software,
  // MountError
  'no-addon': osError,
  'no-device': osError,
  'no-fusermount': osError,
  'no-fuse-native': osError,
  'mount-failed': osError,
  'unmount-failed': osError,
  'session-failed': software,
  'state-unusable': software,
  'target-missing': noInput,
  'target-not-directory': cannotCreate,
  'target-not-empty': cannotCreate,
  'target-mounted': cannotCreate,
  'already-running': temporary,
};

const HINTS: Readonly<Record<string, string>> = {
  'bad-pattern': 'Correct or take away the pattern of --include, --exclude or --executable.',
};

const HINT_UNFORESEEN =
  'This is a fault of dagmount: run it again with --log-level debug and report what it says.';

/** The one place where errors become exit codes and sentences. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) {
    return {
      exitCode: software,
      code: undefined,
      message: sentence(`Internal error: ${String(error)}`),
      hint: HINT_UNFORESEEN,
      stack: undefined,
    };
  }
  const { code, hint } = error as { readonly code?: unknown; readonly hint?: unknown };
  const exitCode = typeof code === 'string' && Object.hasOwn(EXIT_CODES, code) ? EXIT_CODES[code] : undefined;
  if (exitCode === undefined) {
    return {
      exitCode: software,
      code: undefined,
      message: sentence(`Internal error: ${error.message}`),
      hint: HINT_UNFORESEEN,
      stack: stackOf(error),
    };
  }
  return {
    exitCode,
    code: code as string,
    message: sentence(error.message),
    hint: typeof hint === 'string' ? hint : (HINTS[code as string] ?? HINT_UNFORESEEN),
    stack: stackOf(error),
  };
}

/** Of an error that is known by its code alone. */
export function exitCodeOf(code: string): ExitCode {
  return (Object.hasOwn(EXIT_CODES, code) ? EXIT_CODES[code] : undefined) ?? software;
}

/** What goes to stderr: two lines, and a stack trace where it is asked for. */
export function failureText(failure: Failure, withStack: boolean): string {
  const lines = [`dagmount: ${printable(failure.message)}`, printable(failure.hint)];
  if (withStack && failure.stack !== undefined) lines.push(printableLines(failure.stack));
  return `${lines.join('\n')}\n`;
}

/** On one line, ending as sentences do; a word at its beginning gets its capital, a path or an address does not. */
function sentence(text: string): string {
  const line = text.trim().replace(/\s*\n\s*/g, ' ');
  const capital = /^[a-z]+(?=[ ,])/.test(line) ? line.charAt(0).toUpperCase() + line.slice(1) : line;
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** With the stacks of its causes. */
function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own;
}
