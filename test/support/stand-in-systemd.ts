import { join } from 'node:path';
import type { Mount } from './mount.ts';
import { repository } from './repository.ts';
import { waitFor } from './wait-for.ts';

/** The events that the stand-in for systemd prints: test/support/stand-in-systemd.py. */
export type ServiceEvent =
  | { readonly event: 'started'; readonly pid: number; readonly names: readonly string[] }
  | { readonly event: 'ended'; readonly status: number; readonly names: readonly string[] }
  | { readonly event: 'full' }
  | {
      readonly event: 'notified' | 'refused';
      readonly lines: Readonly<Record<string, string>>;
      readonly fds: number;
    };

/** Goes before the command of a mount. The socket is a path, or a name with @ before it. */
export function underSystemd(socket: string): readonly string[] {
  return ['python3', join(repository, 'test/support/stand-in-systemd.py'), socket];
}

/** A mount that the stand-in for systemd runs. */
export class Service {
  readonly #mount: Mount;

  constructor(mount: Mount) {
    this.#mount = mount;
  }

  events(): readonly ServiceEvent[] {
    const lines = this.#mount.stdout().split('\n');
    return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as ServiceEvent);
  }

  /** For each main process, the descriptors with which it was started. */
  starts(): readonly { readonly pid: number; readonly names: readonly string[] }[] {
    return this.events().filter((each) => each.event === 'started');
  }

  /** The values of a variable that the main process has sent, in their order. */
  told(variable: string): readonly string[] {
    return this.events().flatMap((each) =>
      each.event === 'notified' && variable in each.lines ? [each.lines[variable] as string] : [],
    );
  }

  /** Does `systemctl restart`; resolves when the new main process is ready. */
  restart(): Promise<void> {
    return this.#again('SIGUSR1');
  }

  /** Kills all processes of the service at once; resolves when a new main process is ready. */
  killAll(): Promise<void> {
    return this.#again('SIGUSR2');
  }

  async #again(signal: NodeJS.Signals): Promise<void> {
    const [starts, readies] = [this.starts().length, this.told('READY').length];
    this.#mount.kill(signal);
    await waitFor('the next process', () => this.starts().length > starts);
    await waitFor('it to be ready', () => this.told('READY').length > readies);
  }
}
