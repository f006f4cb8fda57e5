import { StringDecoder } from 'node:string_decoder';

/** The descriptors that a supervisor keeps while servers come and go. docs/takeover.md has each message and name. */
export type KeptName =
  /** The device of the mount. While it is kept, a server that dies has a successor. */
  | 'fuse'
  /** Memory with the identity of that mount. */
  | 'mount'
  /** Says that `fuse` is a placeholder, so that the successor makes a new mount. */
  | 'own-mount'
  /** The file with the lock of the cache directory. */
  | 'lock'
  /** Memory with the unanswered requests. */
  | 'journal'
  /** The listening control socket. */
  | 'control'
  /** The listening TCP socket of the metrics. */
  | 'metrics'
  /** The listening TCP socket of the webhook. */
  | 'webhook';

export interface TakeoverDeadline {
  /** How long readers may wait for a server, milliseconds. */
  readonly deadlineMs: number;
  /** A write to this file aborts the connection, which ends the waiting of readers. */
  readonly abortFile: string;
}

/**
 * A server's messages, which native/supervisor/messages.c reads. Supervisors of other builds read them, too,
 * so the words never change.
 */
export const says = {
  keep: (name: KeptName): string => `FDSTORE=1\nFDNAME=${name}`,
  drop: (name: KeptName): string => `FDSTOREREMOVE=1\nFDNAME=${name}`,
  deadline: ({ deadlineMs, abortFile }: TakeoverDeadline): string => `TAKEOVER=${deadlineMs} ${abortFile}`,
  status: (line: string): string => `STATUS=${line.replaceAll(/[\n\0]/g, ' ')}`,
  alive: 'WATCHDOG=1',
  ready: 'READY=1',
  /** Asks for a server that replaces this one. */
  restart: 'RESTART=1',
  /** Asks for a standby. The word SPARE is older than the name. */
  wantsStandby: 'SPARE=1',
  /** Sent by a candidate that can take over immediately. */
  standsBy: 'STANDBY=1',
  handedOver: 'HANDOVER=1',
} as const;

/** A supervisor's messages. */
export type Order =
  /** A replacement is ready: this server must complete its current work, and then send `handedOver`. */
  | { readonly kind: 'hand-over' }
  /**
   * To a candidate, a server that was started beside another one: the other server is gone, and the candidate
   * takes its place. The reason says why that server ended; it is empty after a hand-over.
   */
  | { readonly kind: 'go'; readonly reason: string }
  /** There is no replacement, so this server continues. */
  | { readonly kind: 'dropped'; readonly reason: string }
  /** The previous server gave no sign of life; the reason says where its threads were in the kernel. */
  | { readonly kind: 'stuck'; readonly reason: string };

/** Twice the longest line of the supervisor. */
const LONGEST_LINE = 8_192;

/** Reads orders from a stream, which may be cut anywhere. */
export class OrderReader {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  /** Whether the next bytes belong to a line that was too long. */
  #skips = false;

  read(bytes: Uint8Array): readonly Order[] {
    const orders: Order[] = [];
    const lines = (this.#rest + this.#decoder.write(bytes)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const order = this.#skips || line.length > LONGEST_LINE ? undefined : orderOf(line);
      this.#skips = false;
      if (order !== undefined) orders.push(order);
    }
    if (this.#rest.length > LONGEST_LINE) {
      this.#rest = '';
      this.#skips = true;
    }
    return orders;
  }
}

/** Parses an order. Returns undefined for an order of another build's supervisor that is unknown here. */
function orderOf(line: string): Order | undefined {
  const [kind, ...reason] = line.split(' ');
  if (kind === 'hand-over') return { kind };
  return kind === 'dropped' || kind === 'go' || kind === 'stuck'
    ? { kind, reason: reason.join(' ') }
    : undefined;
}
