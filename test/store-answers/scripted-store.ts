import { ByteServer, type Step } from '../support/byte-server.ts';

/** One request, as read from its head. */
export interface Asked {
  readonly method: string;
  /** The path below the bucket, decoded; empty: the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
}

/** A store that answers with the bytes that a test gives. `pace`: real milliseconds for one of the store's. */
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
