import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { freePorts } from './free-ports.ts';
import { repository } from './repository.ts';
import { type Cleanup, defer, temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait-for.ts';

const unpacked = join(repository, '.tools/prometheus/usr/bin');

/** A program of Debian's package: unpacked by scripts/test --long, or installed on this host; else undefined. */
export function prometheusProgram(name: 'prometheus' | 'promtool'): string | undefined {
  const own = join(unpacked, name);
  if (existsSync(own)) return own;
  return spawnSync(name, ['--version']).error === undefined ? name : undefined;
}

/** The reason, for a test's `skip`, that the program is missing; false if it is here. */
export function missing(name: 'prometheus' | 'promtool'): string | false {
  if (prometheusProgram(name) !== undefined) return false;
  return `there is no ${name} here (scripts/test --long unpacks it where apt-get is; Debian: apt-get install prometheus)`;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  /** The present result of a query. Rejects with Prometheus' own message if the query is wrong. */
  query(expression: string): Promise<readonly Sample[]>;
  /** The values that a label has in the series that match. */
  labelValues(label: string, match: string): Promise<readonly string[]>;
}

/** Starts a Prometheus that scrapes some ports of this host once a second, as one job. */
export async function startPrometheus(
  t: Cleanup,
  job: string,
  ports: readonly number[],
): Promise<Prometheus> {
  const program = prometheusProgram('prometheus');
  if (program === undefined) throw new Error(String(missing('prometheus')));
  const directory = await temporaryDirectory(t);
  const targets = ports.map((port) => `127.0.0.1:${port}`);
  // JSON is YAML.
  const config = {
    global: { scrape_interval: '1s' },
    scrape_configs: [{ job_name: job, static_configs: [{ targets }] }],
  };
  const file = join(directory, 'prometheus.yml');
  await writeFile(file, JSON.stringify(config));
  const port = await freePorts(1);
  const server = startChild(program, [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ]);
  defer(t, async () => {
    server.kill('SIGKILL');
    await server.exit;
  });
  const ask = async <T>(path: string, query: Readonly<Record<string, string>>): Promise<T> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(query)}`);
    const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`${error}: ${JSON.stringify(query)}`);
    return data;
  };
  await waitFor('Prometheus', () =>
    fetch(`http://127.0.0.1:${port}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return {
    query: async (expression) => {
      const { result } = await ask<{ result: readonly Answered[] }>('query', { query: expression });
      return result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
    },
    labelValues: (label, match) => ask(`label/${label}/values`, { 'match[]': match }),
  };
}

interface Answered {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}
