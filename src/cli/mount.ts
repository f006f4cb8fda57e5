import { parseCommandLine } from '../config/command-line.ts';
import { ConfigError } from '../config/config-error.ts';
import { flagSpecs, givenByFlags } from '../config/from-flags.ts';
import { type ResolvedConfig, resolveMountConfig } from '../config/mount-config.ts';
import { mountId } from '../config/mount-id.ts';
import { printedConfig } from '../config/print-config.ts';
import { realTarget } from '../host/real-target.ts';
import type { Progress } from '../server/server-port.ts';
import { startDaemon } from './daemon.ts';
import { exitCodes } from './exit-codes.ts';
import { failureOf, failureText } from './failure.ts';
import { isJournal } from './journal.ts';
import { LogFile } from './log-file.ts';
import { type CommandLog, createLogger } from './logger.ts';
import { ProgressLine } from './progress-line.ts';
import type { RunCommand, Shell } from './shell.ts';
import { listenToSignals, type Signals } from './signals.ts';

const STDERR = 2;

export const run: RunCommand = async (args, shell) => {
  const { flags, positionals } = parseCommandLine(args, flagSpecs(), 'mount');
  const { workingDirectory } = shell.environment;
  const [address, directory] = placesOf(positionals);
  const target = realTarget(directory, workingDirectory);
  if (target === '/') {
    throw new ConfigError('usage', 'The root directory cannot be a mount point.', 'Name another directory.');
  }
  const resolved = resolveMountConfig(address, target, givenByFlags(flags), shell.environment);
  const { config, options, trees, printConfig } = resolved;
  const mount = { id: mountId(config), source: config.source, target };
  if (printConfig) {
    shell.out.write(printedConfig(mount, options, trees));
    return exitCodes.ok;
  }
  if (config.daemon && shell.daemon === undefined) return await startDaemon(args, mount, shell);
  return await serveMount(resolved, shell);
};

/**
 * Serves the mount until it ends. Reports failures itself, to its log and to the command that waits for a
 * daemon.
 */
async function serveMount(resolved: ResolvedConfig, shell: Shell): Promise<number> {
  const { config } = resolved;
  const progress = new ProgressLine(shell);
  const write =
    shell.daemon === undefined ? foregroundLog(shell, progress) : backgroundLog(shell.daemon.logFile);
  const { logLevel: level, logFormat: format } = config;
  const colours = shell.daemon === undefined && shell.err.colours;
  const journal = shell.daemon === undefined && isJournal(shell.environment.env.JOURNAL_STREAM, STDERR);
  const log = await createLogger({ level, format, colours, journal, write });
  const signals = listenToSignals(shell.err.isTerminal, () => {
    log.warn(
      { event: 'stopped-at-once', target: config.target },
      'a second signal ended the process at once; `dagmount unmount` removes the mount if it remains',
    );
  });
  try {
    await serve(resolved, shell, log, signals, progress);
    return exitCodes.ok;
  } catch (error) {
    progress.erase();
    if (signals.stop.aborted && isOfStopping(error, signals.stop)) return exitCodes.ok;
    const failure = failureOf(error);
    const withStack = log.isLevelEnabled('debug');
    shell.daemon?.tell({
      kind: 'failed',
      failure: { ...failure, stack: withStack ? failure.stack : undefined },
    });
    if (shell.daemon !== undefined || format === 'json') {
      const { code, exitCode, hint, message, stack } = failure;
      const line = { event: 'failed', code, exitCode, hint, ...(withStack && { stack }) } as const;
      log.fatal(line, `${message} ${hint}`);
    } else {
      shell.err.write(failureText(failure, withStack));
    }
    return failure.exitCode;
  } finally {
    signals.release();
  }
}

async function serve(
  { config, options, trees }: ResolvedConfig,
  shell: Shell,
  log: CommandLog,
  signals: Signals,
  progress: ProgressLine,
): Promise<void> {
  const server = await shell.loadServer();
  await server.serve(config, {
    log,
    resolved: options,
    resolvedTrees: trees,
    onProgress: (news: Progress) => {
      progress.show(news);
      shell.daemon?.tell({ kind: 'progress', progress: news });
    },
    onReady: (pid) => {
      progress.erase();
      shell.daemon?.tell({ kind: 'ready', pid });
    },
    onRefreshAsked: (callback) => signals.onRefreshAsked(callback),
    onRestartAsked: (callback) => signals.onRestartAsked(callback),
    supervisor: shell.supervisor,
    stop: signals.stop,
  });
}

function foregroundLog(shell: Shell, progress: ProgressLine): (line: string) => void {
  return (line) => progress.around(() => shell.err.write(line));
}

function backgroundLog(path: string): (line: string) => void {
  const file = new LogFile(path);
  return (line) => file.write(line);
}

/**
 * Returns the source's address and the mount point. The address may be missing, because the configuration
 * file may name trees; it is then undefined.
 */
function placesOf(positionals: readonly string[]): readonly [address: string | undefined, directory: string] {
  const [address, directory, ...more] = positionals;
  const hint = 'Usage: dagmount mount s3://BUCKET[/PREFIX] MOUNTPOINT [options]; see dagmount help mount.';
  if (address === undefined) throw new ConfigError('usage', 'The s3:// address is missing.', hint);
  if (directory === undefined && address !== '' && !address.startsWith('s3://')) return [undefined, address];
  // Refuses an empty value. It comes from a shell variable that is not set, and would mean the working
  // directory.
  if (!directory) throw new ConfigError('usage', 'The mount point is missing.', hint);
  if (more.length > 0) throw new ConfigError('usage', `There is one argument too many: ${more[0]}.`, hint);
  // An empty address counts as missing: a service unit passes on a variable, which is empty if the file names
  // trees.
  return [address === '' ? undefined : address, directory];
}

/** Whether an error only reports that an operation was cancelled by the stop signal. */
function isOfStopping(error: unknown, stop: AbortSignal): boolean {
  if (error === stop.reason) return true;
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  return name === 'AbortError' || code === 'aborted';
}
