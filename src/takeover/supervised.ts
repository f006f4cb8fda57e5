import { raisePriority } from '../host/process-priority.ts';
import { mountRuntimeDirectory } from '../host/runtime-paths.ts';
import type { Connection } from '../session/connection.ts';
import type { Addon } from '../session/kernel/addon.ts';
import type { Presentation, Serving } from '../session/messages.ts';
import type { SessionClient } from '../session/session-client.ts';
import { FUSE_HAS_RESEND } from '../wire/index.ts';
import { DescriptorStore } from './kept/descriptor-store.ts';
import { KeptListeners } from './kept/kept-listeners.ts';
import { keepLock } from './kept/kept-lock.ts';
import { KeptMount } from './kept/kept-mount.ts';
import { lockWithoutAddon } from './kept/lock-without-addon.ts';
import type { MountIdentity } from './kept/mount-identity.ts';
import type { Replacement } from './replacement.ts';
import { ReplacementRequest } from './replacement-request.ts';
import { restartReasonOf } from './restart-cause.ts';
import { StandbyServer } from './standby-server.ts';
import { Heartbeat, type Served } from './supervisor/heartbeat.ts';
import { adoptingSupervisor, parentSupervisor } from './supervisor/running-supervisor.ts';
import { SupervisorClient } from './supervisor/supervisor-client.ts';
import type { SupervisorLink } from './supervisor/supervisor-link.ts';
import type { Order } from './supervisor/supervisor-messages.ts';

export interface SupervisedOptions {
  /** Undefined if no supervisor started this server. Then no descriptor is kept for a successor. */
  readonly link: SupervisorLink | undefined;
  /** Undefined if there is no addon. Then no descriptor is kept for a successor, either. */
  readonly addon: Addon | undefined;
  /** The directory of all mounts of this user. */
  readonly runtimeDirectory: string;
  readonly identity: MountIdentity;
  /** How long readers may wait for a server, milliseconds. */
  readonly takeoverDeadlineMs: number;
  /** Whether another server should stand by in case this one dies. */
  readonly standby: boolean;
  /** Called when another supervisor runs, or when the supervisor is gone. */
  readonly onChange: () => void;
  /**
   * Called if the previous server gave no sign of life. `threads` says where its threads were in the kernel.
   */
  readonly onStuck: (threads: string) => void;
  /** Called when a replacement is ready and `replacement.handOver` must be called, or when it was dropped. */
  readonly onReplacement: (replacement: Replacement) => void;
}

/** A server's side of the protocol with its supervisor (docs/takeover.md). A separate class does each job. */
export class Supervised {
  readonly mount: KeptMount;
  readonly listeners: KeptListeners;
  readonly standby: StandbyServer;
  readonly replacement: ReplacementRequest;
  readonly heartbeat: Heartbeat;
  readonly #options: SupervisedOptions;
  readonly #client: SupervisorClient | undefined;
  readonly #store: DescriptorStore;
  /** Whether the kernel can be asked to send unanswered requests again, as INIT agreed. */
  #resends = false;
  /** Whether the session made the mount itself (fuse-native). Its device cannot be passed to a successor. */
  #mountsItself = false;

  constructor(options: SupervisedOptions) {
    const { link, addon, runtimeDirectory, identity, onReplacement, onChange } = options;
    this.#options = options;
    const client = link && addon && this.#connect(link, addon);
    this.#client = client;
    this.#store = new DescriptorStore(client, link?.kept);
    const directory = mountRuntimeDirectory(runtimeDirectory, identity.id);
    this.mount = new KeptMount({ store: this.#store, addon, identity, directory });
    this.listeners = new KeptListeners(this.#store);
    const now = (): number => performance.now();
    const rename = (title: string): void => {
      process.title = title;
    };
    this.standby = new StandbyServer({ client, link, raisePriority, rename, now });
    this.replacement = new ReplacementRequest(client, onReplacement);
    this.heartbeat = new Heartbeat({ client, wantsStandby: options.standby, onChange, now });
  }

  /**
   * Whether this is the first server of the mount. The predecessor of a first server, if there was one, served
   * another mount.
   */
  get isFirst(): boolean {
    return (this.#client?.restarts ?? 0) === 0 || this.mount.other !== undefined;
  }

  /**
   * Whether another server continues with the mount if this server fails. If no server of the mount has served
   * yet, the supervisor ends, too, and would leave a mount that no process serves. So would a server whose
   * supervisor is gone.
   */
  get hasSuccessor(): boolean {
    return this.supervisorPid !== undefined && (this.heartbeat.isServing || !this.isFirst);
  }

  /** The pid of the supervisor; undefined if there is none, or if it is gone. */
  get supervisorPid(): number | undefined {
    return this.heartbeat.isAlone ? undefined : this.#client?.pid;
  }

  get status() {
    const supervised = this.supervisorPid !== undefined;
    const how = this.#resends ? ('resend' as const) : ('journal' as const);
    const takeover = supervised && !this.#mountsItself ? how : ('remount' as const);
    return { supervised, restarts: this.#client?.restarts ?? 0, takeover };
  }

  /**
   * Returns, for the log, why this server was started again, how often, and how long it took in ms until
   * readers were answered.
   */
  succession(servingAt: number) {
    const { restarts, reason: said } = this.#client ?? {};
    const { cause, reason } = said === undefined ? {} : restartReasonOf(said);
    return { restarts, cause, reason, ms: Math.round(servingAt - this.standby.turnAt) };
  }

  /** Discards everything inherited from the previous server, which served another mount. */
  startAfresh(): void {
    this.mount.startAfresh();
    this.listeners.startAfresh();
    this.#store.drop('lock');
  }

  /** Like Addon.lockFile, but the lock outlives the server. */
  lockFile(path: string): number {
    return keepLock(this.#store, path, this.#options.addon?.lockFile ?? lockWithoutAddon);
  }

  /** Must be called when a new mount was made. */
  opened(connection: Connection): void {
    this.#mountsItself = connection.kind === 'own';
    this.mount.opened(connection);
  }

  serving(serving: Serving, presentation: Presentation): void {
    this.#resends = ((serving.init?.flags ?? 0n) & FUSE_HAS_RESEND) !== 0n;
    this.heartbeat.serving();
    this.mount.serving(serving, presentation);
  }

  /**
   * Tells the supervisor how long readers may wait, and how to end their waiting. `connection` is the number
   * of the connection below /sys/fs/fuse/connections, if known.
   */
  setTakeoverDeadline(connection: number | undefined): void {
    const { takeoverDeadlineMs: deadlineMs } = this.#options;
    const abortFile = connection === undefined ? '/dev/null' : `/sys/fs/fuse/connections/${connection}/abort`;
    this.#client?.setTakeoverDeadline({ deadlineMs, abortFile });
  }

  /**
   * Starts the heartbeat. Returns a function that stops it. If no successor needs the kept descriptors, because
   * the mount is gone, that function also makes the supervisor drop them.
   */
  reportLife(session: Pick<SessionClient, 'counters'>, served: Served): () => void {
    const stop = this.heartbeat.start(session, served);
    return () => {
      stop();
      if (this.mount.isDepended) return;
      this.listeners.drop();
      this.#store.drop('journal', 'lock');
    };
  }

  #connect(link: SupervisorLink, addon: Addon): SupervisorClient {
    const { restarts, reason } = link;
    return new SupervisorClient({
      supervisor: parentSupervisor(link, addon),
      restarts,
      reason,
      startAnother: adoptingSupervisor(link, addon),
      onOrder: (order) => this.#obey(order),
      onOrphaned: () => {
        this.standby.orphaned();
        this.replacement.orphaned();
      },
    });
  }

  #obey(order: Order): void {
    switch (order.kind) {
      case 'go':
        this.standby.go();
        break;
      case 'stuck':
        this.#options.onStuck(order.reason);
        break;
      case 'hand-over':
        this.replacement.standsBy();
        break;
      case 'dropped':
        this.replacement.dropped(order.reason);
        break;
      default:
        order satisfies never;
    }
  }
}
