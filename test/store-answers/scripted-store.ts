import { ByteServer, type Step } from '../support/byte-server.ts';

/** One request, as its head says. */
export interface Asked {
  readonly method: string;
  /** Below the bucket, decoded; empty: the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
}

/** A store whose answers are bytes, which a test says. `pace`: real milliseconds for one of the store's. */
export function startScriptedStore(
  answering: (asked: Asked) => readonly Step[],
  pace: number,
): Promise<ByteServer> {
  return ByteServer.start((head) => answering(askedOf(head)), { pace });
}

function askedOf(head: string): Asked {
  const [method = '', url = ''] = head.split(' ', 2);
  const [path = '', query = ''] = url.split('?', 2);
  return {
    method,
    key: path.split('/').slice(2).map(decodeURIComponent).join('/'),
    query: new URLSearchParams(query),
    header: (name) => new RegExp(`^${name}:[ \\t]*(.*?)\\r?$`, 'im').exec(head)?.[1],
  };
}
