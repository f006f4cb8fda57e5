import type { Logger } from '../base/logger.ts';
import { route } from '../control/endpoints/route.ts';
import { OpenServer } from '../control/http/open-server.ts';
import { listenOn } from '../control/http/tcp-socket.ts';
import type { MetricDeclaration } from '../control/metrics/metric-declarer.ts';
import { noQueryShape } from '../control/shapes/status.ts';
import { joinedMetrics, type MetricsSource } from './joined-metrics.ts';
import type { NodeVolumes } from './node-volumes.ts';
import { VolumeError, type VolumeErrorCode } from './volume-error.ts';

type Volumes = Pick<NodeVolumes, 'publish' | 'unpublish'>;
type Outcome = 'ok' | VolumeErrorCode | 'internal';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Declaration = Pick<MetricDeclaration, 'type' | 'labels' | 'help'>;

/** The driver's own metrics; docs/reference.md lists them. */
export const driverMetrics = {
  dagmount_csi_build_info: { type: 'gauge', labels: ['version'], help: 'The driver of a node: always 1' },
  dagmount_csi_volumes: { type: 'gauge', labels: [], help: 'Volumes of pods that are published' },
  dagmount_csi_mount_up: {
    type: 'gauge',
    labels: ['source', 'mount_key'],
    help: 'Whether a mount for volumes answers: 1 or 0',
  },
  dagmount_csi_publishes_total: {
    type: 'counter',
    labels: ['outcome'],
    help: "Publishes of volumes by outcome: ok, or the code of the log's event volume-refused",
  },
} as const satisfies Readonly<Record<string, Declaration>>;

/** Counts how publishes of volumes by this driver ended. */
export class PublishCounter {
  readonly #counts = new Map<Outcome, number>([['ok', 0]]);

  get counts(): ReadonlyMap<Outcome, number> {
    return this.#counts;
  }

  counting(volumes: Volumes): Volumes {
    return {
      publish: async (request) => {
        try {
          await volumes.publish(request);
          this.#add('ok');
        } catch (error) {
          this.#add(error instanceof VolumeError ? error.code : 'internal');
          throw error;
        }
      },
      unpublish: (volumeId, target) => volumes.unpublish(volumeId, target),
    };
  }

  #add(outcome: Outcome): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }
}

export interface DriverMetricsOptions {
  readonly version: string;
  readonly publishes: PublishCounter;
  /** The number of volumes that are published. */
  readonly volumes: () => number;
  /** The sources of the mounts that have a process, by the keys of the mounts. */
  readonly mounts: () => ReadonlyMap<string, string>;
  /** The metrics of a mount, in Prometheus' text format. */
  readonly ask: (key: string) => Promise<string>;
}

/**
 * The metrics of a node: those of the driver; and those of each mount, with the labels `source` and
 * `mount_key`.
 */
export class DriverMetrics {
  readonly #options: DriverMetricsOptions;

  constructor(options: DriverMetricsOptions) {
    this.#options = options;
  }

  /**
   * Returns the metrics as text. Waits for a mount no longer than `ask` does. A mount that does not answer is
   * reported as down, and its metrics are left out.
   */
  async text(): Promise<string> {
    const { mounts, ask } = this.#options;
    const asked = await Promise.all(
      [...mounts()].map(async ([key, source]) => {
        const labels = { source, mount_key: key };
        return { labels, text: await ask(key).catch(() => undefined) };
      }),
    );
    const answered = asked.flatMap(({ labels, text }): readonly MetricsSource[] =>
      text === undefined ? [] : [{ labels, text }],
    );
    return joinedMetrics([{ labels: {}, text: this.#own(asked) }, ...answered]);
  }

  #own(
    mounts: readonly { readonly labels: Readonly<Record<string, string>>; readonly text: unknown }[],
  ): string {
    const { version, publishes, volumes } = this.#options;
    const up = mounts.map(({ labels, text }) => [labels, text === undefined ? 0 : 1] as const);
    const outcomes = [...publishes.counts].map(([outcome, count]) => [{ outcome }, count] as const);
    return [
      family('dagmount_csi_build_info', [[{ version }, 1]]),
      family('dagmount_csi_volumes', [[{}, volumes()]]),
      family('dagmount_csi_mount_up', up),
      family('dagmount_csi_publishes_total', outcomes),
    ].join('');
  }
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves GET /metrics and GET /healthz over TCP. Rejects with ControlError. */
export async function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  metrics: Pick<DriverMetrics, 'text'>,
  log: Logger,
): Promise<MetricsServer> {
  const routes = [
    route({
      method: 'GET',
      path: '/metrics',
      summary: 'The metrics of the driver and of its mounts',
      query: noQueryShape,
      answers: { 200: undefined },
      media: ['text/plain'],
      handle: async () => ({ status: 200, text: await metrics.text(), contentType: CONTENT_TYPE }),
    }),
    route({
      method: 'GET',
      path: '/healthz',
      summary: 'Whether the driver answers',
      query: noQueryShape,
      answers: { 200: undefined },
      media: ['text/plain'],
      handle: () => ({ status: 200, text: 'ok\n', contentType: CONTENT_TYPE }),
    }),
  ];
  const server = new OpenServer({ routes, log });
  return { port: await listenOn(server.server, { host, port }), close: () => server.close() };
}

function family(
  name: keyof typeof driverMetrics,
  samples: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[],
): string {
  const { type, help } = driverMetrics[name];
  const lines = samples.map(([labels, value]) => {
    const written = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
    return `${name}${written.length === 0 ? '' : `{${written.join(',')}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}
