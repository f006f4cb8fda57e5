import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ownPackage } from '../base/own-package.ts';
import { type Flag, lastValue, parseCommandLine } from '../config/command-line.ts';
import { ConfigError } from '../config/config-error.ts';
import { schema } from '../config/options/options.ts';
import { exitCodes } from './exit-codes.ts';
import { loadSupervisor } from './load-supervisor.ts';
import { createLogger } from './logger.ts';
import type { RunCommand, Shell } from './shell.ts';
import { listenToSignals } from './signals.ts';

const FLAGS = ['endpoint', 'node-id', 'kubelet-dir', 'config', 'metrics-listen'] as const;
const USAGE =
  'Usage: dagmount csi --endpoint unix:///csi/csi.sock --node-id NAME [--kubelet-dir PATH] [--config FILE] [--metrics-listen HOST:PORT].';

/**
 * Runs the CSI driver, which answers kubelet until SIGTERM. All mounts then stay, for the next process of the
 * CSI driver to take over.
 */
export const run: RunCommand = async (args, shell) => {
  const specs = FLAGS.map((name) => ({ name, takesValue: true }));
  const { flags, positionals } = parseCommandLine(args, specs, 'csi');
  if (positionals.length > 0) {
    throw new ConfigError('usage', `There is one argument too many: ${positionals[0]}.`, USAGE);
  }
  const { isEndpoint, serveDriver, socketOf } = await import('../csi/grpc-server.ts');
  const endpoint = required(flags, 'endpoint');
  if (!isEndpoint(endpoint)) {
    throw new ConfigError(
      'usage',
      `--endpoint cannot be ${JSON.stringify(endpoint)}.`,
      'Allowed: unix:///PATH.',
    );
  }
  const node = required(flags, 'node-id');
  const metricsAt = metricsPlace(lastValue(flags, 'metrics-listen'));
  const kubeletDirectory = (lastValue(flags, 'kubelet-dir') ?? '/var/lib/kubelet').replace(/(?<=.)\/+$/, '');
  const { readDriverConfig } = await import('../csi/driver-config.ts');
  const config = readDriverConfig(lastValue(flags, 'config') ?? '/etc/dagmount/csi.yaml');
  const write = (line: string): void => shell.err.write(line);
  const log = await createLogger({ level: 'info', format: 'json', colours: false, write });
  const signals = listenToSignals(false, () => undefined);
  const { driverLockPaths, lockDriver } = await import('../csi/driver-lock.ts');
  const { lockFile } = await loadSupervisor();
  try {
    await lockDriver({
      paths: driverLockPaths(config, kubeletDirectory, socketOf(endpoint)),
      lockFile,
      name: hostname(),
      clock: { now: Date.now, sleep: (ms, signal) => delay(ms, undefined, { signal }) },
      log,
      signal: signals.stop,
    });
  } catch (error) {
    if (signals.stop.aborted) return exitCodes.ok;
    throw error;
  }
  const { openDriver } = await import('../csi/open-driver.ts');
  const { driver, sources, metrics } = await openDriver({
    config,
    kubeletDirectory,
    node,
    version: ownPackage().version,
    command: await mountCommand(shell),
    environment: shell.environment.env,
    log,
    write,
  });
  const { serveMetrics } = await import('../csi/driver-metrics.ts');
  const metricsServer = metricsAt && (await serveMetrics(metricsAt, metrics, log));
  const server = await serveDriver(endpoint, driver, log);
  const metricsPort = metricsServer?.port;
  log.info(
    { event: 'driver-listening', endpoint, node, version: ownPackage().version, metricsPort },
    'the driver answers kubelet',
  );
  await new Promise<void>((resolve) => {
    if (signals.stop.aborted) resolve();
    else signals.stop.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.all([server.close(), metricsServer?.close()]);
  const mounts = sources.sources.size;
  await sources.leave();
  log.info({ event: 'driver-ended', mounts }, 'the driver ends, and leaves its mounts to the next one');
  return exitCodes.ok;
};

/**
 * Returns the command to which `mount` and its arguments are added. The command begins with the supervisor,
 * so that each mount has its own supervisor, as with `dagmount mount`; without a supervisor program it is
 * dagmount itself.
 */
async function mountCommand(shell: Shell): Promise<readonly [string, ...string[]]> {
  const supervisor = await shell.supervisorProgram();
  return supervisor === undefined ? shell.self : [supervisor, ...shell.self];
}

/** Parses the address of --metrics-listen. Throws ConfigError if the address is invalid. */
function metricsPlace(
  address: string | undefined,
): { readonly host: string; readonly port: number } | undefined {
  if (address === undefined) return undefined;
  const { kind } = schema['metrics-listen'];
  const parsed = kind.schema.safeParse(address);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    'bad-value',
    `--metrics-listen cannot be ${JSON.stringify(address)}.`,
    `Allowed: ${kind.allowed}.`,
  );
}

function required(flags: readonly Flag[], name: (typeof FLAGS)[number]): string {
  const value = lastValue(flags, name);
  if (!value) throw new ConfigError('usage', `--${name} is missing.`, USAGE);
  return value;
}
