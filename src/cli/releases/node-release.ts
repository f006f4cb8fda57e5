import { systemCode } from '../../base/system-error.ts';
import { ControlClient } from '../../control/client.ts';
import { ClientError } from '../../control/client-error.ts';
import { metricSamples } from '../client/metric-samples.ts';

/** The release that a node reports. */
export type NodeRelease =
  | {
      readonly kind: 'release';
      readonly ref: string;
      readonly sequence: number;
      readonly release: string;
      /** Why the node holds a newer release; undefined if the node holds none, or does not say why. */
      readonly held: string | undefined;
    }
  /** The node shows no release but something else, such as a plain prefix. */
  | { readonly kind: 'none' }
  | { readonly kind: 'silent'; readonly reason: string };

const LEAST_ANSWER_MS = 2_000;
const LONGEST_ANSWER_MS = 10_000;
const MOST_METRICS_BYTES = 16 * 1024 * 1024;

/** Asks a node which release it shows, over its control socket or its address of --metrics-listen. */
export async function askNode(node: string, milliseconds: number, signal: AbortSignal): Promise<NodeRelease> {
  // Gives the last query at least 2 s, because otherwise the node would wrongly seem not to answer.
  const deadlineMs = Math.min(Math.max(milliseconds, LEAST_ANSWER_MS), LONGEST_ANSWER_MS);
  try {
    return /^https?:\/\//.test(node)
      ? releaseOfMetrics(await metricsOf(node, deadlineMs, signal))
      : releaseOfStatus(await new ControlClient(node).ask('/v1/status', { deadlineMs }));
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'silent', reason: reasonOf(error) };
  }
}

function releaseOfStatus(status: unknown): NodeRelease {
  const { release, held } = (status ?? {}) as { readonly release?: unknown; readonly held?: unknown };
  const { ref, seq, id } = (release ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof ref !== 'string' || typeof seq !== 'number' || typeof id !== 'string') return { kind: 'none' };
  const { reason } = (held ?? {}) as { readonly reason?: unknown };
  return {
    kind: 'release',
    ref,
    sequence: seq,
    release: id,
    held: typeof reason === 'string' ? reason : undefined,
  };
}

function releaseOfMetrics(text: string): NodeRelease {
  const samples = metricSamples(text);
  const info = samples.find(({ name, value }) => name === 'dagmount_release_info' && value === 1);
  const sequence = samples.find(({ name }) => name === 'dagmount_release_seq')?.value;
  const { ref, release } = info?.labels ?? {};
  if (ref === undefined || release === undefined || sequence === undefined) return { kind: 'none' };
  const isHeld = samples.some(({ name, value }) => name === 'dagmount_held' && value === 1);
  return { kind: 'release', ref, sequence, release, held: isHeld ? 'see its status' : undefined };
}

async function metricsOf(address: string, deadlineMs: number, signal: AbortSignal): Promise<string> {
  const url = new URL(address);
  if (url.pathname === '/') url.pathname = '/metrics';
  const answer = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
  });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_METRICS_BYTES) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function reasonOf(error: unknown): string {
  if (error instanceof ClientError) return error.code;
  const code = systemCode(error) ?? systemCode((error as { readonly cause?: unknown }).cause);
  if (code !== undefined) return code;
  return error instanceof Error ? error.message : String(error);
}
