import { StringDecoder } from 'node:string_decoder';

/** What a supervisor keeps over the lives of its servers. docs/takeover.md has every message, and what each name stands for. */
export type KeptName =
  /** The device of the mount. While it is kept, a server that dies has a successor. */
  | 'fuse'
  /** Memory that says which mount that is. */
  | 'mount'
  /** `fuse` is a placeholder: the successor makes the mount anew. */
  | 'own-mount'
  /** Holds the lock of the cache directory. */
  | 'lock'
  /** Memory of the requests that are not answered. */
  | 'journal'
  /** Listens at the control socket. */
  | 'control'
  /** Listens where metrics are offered over TCP. */
  | 'metrics';

export interface TakeoverDeadline {
  /** How long readers may wait for a server, milliseconds. */
  readonly deadlineMs: number;
  /** The file that ends their waiting when it is written to. */
  readonly abortFile: string;
}

/** What a server says, as native/supervisor/messages.c reads it. Supervisors of other builds read it, too: words never change. */
export const says = {
  keep: (name: KeptName): string => `FDSTORE=1\nFDNAME=${name}`,
  drop: (name: KeptName): string => `FDSTOREREMOVE=1\nFDNAME=${name}`,
  deadline: ({ deadlineMs, abortFile }: TakeoverDeadline): string => `TAKEOVER=${deadlineMs} ${abortFile}`,
  status: (line: string): string => `STATUS=${line.replaceAll(/[\n\0]/g, ' ')}`,
  alive: 'WATCHDOG=1',
  ready: 'READY=1',
  /** Another server is wanted in the place of this one. */
  restart: 'RESTART=1',
  /** A standby is wanted. The word is older than the name. */
  wantsStandby: 'SPARE=1',
  /** Of a candidate: it can take over at once. */
  standsBy: 'STANDBY=1',
  handedOver: 'HANDOVER=1',
} as const;

/** What a supervisor says. */
export type Order =
  /** A replacement is ready: this server is to end what it does, and to say so. */
  | { readonly kind: 'hand-over' }
  /** The server beside which this one was started is gone. */
  | { readonly kind: 'go'; readonly reason: string }
  /** There is no replacement: this server stays. */
  | { readonly kind: 'dropped'; readonly reason: string }
  /** Where the threads were of a server before, which gave no sign of life. */
  | { readonly kind: 'stuck'; readonly reason: string };

/** Twice what the supervisor says at most. */
const LONGEST_LINE = 8_192;

/** Orders from the bytes of a stream, which may be cut anywhere. */
export class OrderReader {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  /** Whether what comes next is still of a line that was too long. */
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

/** Undefined for what a supervisor of another build may say. */
function orderOf(line: string): Order | undefined {
  const [kind, ...reason] = line.split(' ');
  if (kind === 'hand-over') return { kind };
  return kind === 'dropped' || kind === 'go' || kind === 'stuck'
    ? { kind, reason: reason.join(' ') }
    : undefined;
}
