import { join } from 'node:path';
import type { Mount } from './mount.ts';
import { repository } from './repository.ts';
import { waitFor } from './wait-for.ts';

/** What the stand-in for systemd tells: test/support/stand-in-systemd.py. */
export type ServiceEvent =
  | { readonly event: 'started'; readonly pid: number; readonly names: readonly string[] }
  | { readonly event: 'ended'; readonly status: number; readonly names: readonly string[] }
  | { readonly event: 'full' }
  | {
      readonly event: 'notified' | 'refused';
      readonly lines: Readonly<Record<string, string>>;
      readonly fds: number;
    };

/** Comes before the command of a mount. The socket is a path, or a name with @ before it. */
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

  /** Descriptors that it was started with, for each of its main processes. */
  starts(): readonly { readonly pid: number; readonly names: readonly string[] }[] {
    return this.events().filter((each) => each.event === 'started');
  }

  /** Values of a variable that the main process has told, in their order. */
  told(variable: string): readonly string[] {
    return this.events().flatMap((each) =>
      each.event === 'notified' && variable in each.lines ? [each.lines[variable] as string] : [],
    );
  }

  /** `systemctl restart`; resolves when the new main process is ready. */
  restart(): Promise<void> {
    return this.#again('SIGUSR1');
  }

  /** Each process of the service, at once; resolves when a new main process is ready. */
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
