import { isGiven, parseCommandLine } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { flagSpecs, givenByFlags } from '../../config/from-flags.ts';
import { type MountConfig, type ResolvedConfig, resolveMountConfig } from '../../config/mount-config.ts';
import type { OptionValues } from '../../config/options/options.ts';
import { describeOrigin, type GivenOptions } from '../../config/origin.ts';
import { type ResolvedOption, resolveOptions } from '../../config/resolve.ts';
import type { ServerPort } from '../../server/server-port.ts';
import { optionsFor } from '../options-by-command.ts';
import type { RunCommand, Shell } from '../shell.ts';
import { checkCache, checkRuntimeDirectory, checkState } from './directory-checks.ts';
import { driverFindings } from './driver-checks.ts';
import { badBecause, exitCodeOf, type Finding, good } from './finding.ts';
import { type Host, thisHost } from './host.ts';
import {
  checkDevice,
  checkKernel,
  checkMounting,
  checkNetwork,
  checkNode,
  checkTakeover,
  checkTimeouts,
} from './host-checks.ts';
import { jsonReport, Report } from './report.ts';

/** Time limit of all checks of the store together. */
const STORE_MS = 30_000;

export const run: RunCommand = (args, shell) => examine(args, shell, thisHost);

export async function examine(args: readonly string[], shell: Shell, host: Host): Promise<number> {
  const specs = [...flagSpecs(optionsFor('doctor')), { name: 'json', takesValue: false }];
  const { flags, positionals } = parseCommandLine(args, specs, 'doctor');
  const [address, ...more] = positionals;
  if (more.length > 0) {
    throw new ConfigError(
      'usage',
      `There is one argument too many: ${more[0]}.`,
      'Usage: dagmount doctor [s3://BUCKET[/PREFIX]] [options]; see dagmount help doctor.',
    );
  }
  const given = givenByFlags(flags);
  const { values, trees } = resolveOptions(given, shell.environment);
  // Refuses an invalid address before any check begins.
  const target = values['cache-dir'];
  const resolved =
    address === undefined && trees.length === 0
      ? undefined
      : resolveMountConfig(address, target, given, shell.environment);

  const asJson = isGiven(flags, 'json');
  const report = new Report(shell.out);
  const findings: Finding[] = [];
  const note = (finding: Finding) => {
    findings.push(finding);
    if (!asJson) report.line(finding);
  };
  if (!asJson) report.heading('This host');
  const showsRelease = values.ref !== undefined || trees.some((tree) => tree.values.ref !== undefined);
  for await (const finding of examineHost(host, shell, values, given, showsRelease)) note(finding);
  for (const { tree, config, options } of sourcesOf(resolved)) {
    if (!asJson) report.heading(`The store${tree === undefined ? '' : ` of ${tree}`}, ${config.source}`);
    const ofTree = tree === undefined ? {} : { tree };
    note({ ...endpointFinding(options), ...ofTree });
    const server = await shell.loadServer();
    for await (const finding of examineStore(server, config)) note({ ...finding, ...ofTree });
  }
  if (asJson) shell.out.write(jsonReport(resolved?.config.source ?? null, findings));
  return exitCodeOf(findings);
}

interface ExaminedSource {
  /** The tree's directory; undefined if the mount has one source. */
  readonly tree: string | undefined;
  readonly config: MountConfig;
  /** The options of the source. If two options have the same name, the first one applies. */
  readonly options: readonly ResolvedOption[];
}

function sourcesOf(resolved: ResolvedConfig | undefined): readonly ExaminedSource[] {
  if (resolved === undefined) return [];
  const { config, options, trees } = resolved;
  if (trees.length === 0) return [{ tree: undefined, config, options }];
  return config.trees.map(({ path, config: ofTree }) => {
    const own = trees.find((tree) => tree.path === path)?.options ?? [];
    return { tree: path, config: ofTree, options: [...own, ...options] };
  });
}

async function* examineHost(
  host: Host,
  shell: Shell,
  values: OptionValues,
  given: GivenOptions,
  showsRelease: boolean,
): AsyncIterable<Finding> {
  const { environment } = shell;
  yield checkNode(host);
  yield checkKernel(host);
  yield checkDevice(host, environment);
  yield checkMounting(host, environment, given.has('allow-other') && values['allow-other']);
  const drivers = await (await shell.loadServer()).checkDrivers(values.driver);
  yield* driverFindings(drivers);
  yield checkTakeover(host, await shell.supervisorProgram(), drivers.used);
  yield checkCache(host, values['cache-dir'], values['cache-size']);
  if (showsRelease) yield checkState(host, values['state-dir']);
  yield checkRuntimeDirectory(host, environment);
  yield checkTimeouts(host);
  yield checkNetwork(environment);
}

/** Shows the endpoint and the setting that it comes from. The endpoint is part of the mount id. */
function endpointFinding(options: readonly ResolvedOption[]): Finding {
  const endpoint = options.find(({ name }) => name === 'endpoint-url');
  const said =
    endpoint?.text === undefined ? "AWS's own" : `${endpoint.text}, ${describeOrigin(endpoint.origin)}`;
  return good('endpoint', said);
}

async function* examineStore(
  server: ServerPort,
  mount: Parameters<ServerPort['probeStore']>[0],
): AsyncIterable<Finding> {
  const signal = AbortSignal.timeout(STORE_MS);
  for await (const { name, outcome, detail, hint, error } of server.probeStore(mount, { signal })) {
    if (outcome === 'bad') yield badBecause(name, error ?? new Error(detail));
    else yield { name, outcome, detail, ...(hint !== undefined && { hint }) };
  }
}
