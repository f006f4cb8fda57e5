import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attributes, StatfsFigures } from '../../src/wire/index.ts';
import { repository } from '../support/repository.ts';

/** The names of linux/fuse.h; u64 as hexadecimal strings, since JSON's numbers end at 2^53. */
export type Fields = Readonly<Record<string, number | string>>;

export interface GoldenRequest {
  readonly kind: string;
  readonly header: Fields;
  readonly body: Fields & {
    readonly names?: readonly string[];
    readonly forgets?: readonly { readonly nodeid: string; readonly nlookup: string }[];
  };
  readonly bytes: readonly string[];
}

export interface GoldenEntry {
  readonly name: string;
  readonly attributes: Attributes;
  readonly cookie: string;
  /** False for "." and "..", which come without attributes. */
  readonly counted: boolean;
}

export type GoldenReply = { readonly bytes: readonly string[] } & (
  | { readonly kind: 'entry' | 'attr'; readonly attributes: Attributes; readonly ttl: 'forever' }
  | { readonly kind: 'negativeEntry'; readonly ttl: number }
  | { readonly kind: 'statfs'; readonly values: StatfsFigures }
  | { readonly kind: 'xattrSize'; readonly size: number }
  | { readonly kind: 'bytes'; readonly content: string }
  | { readonly kind: 'data'; readonly length: number }
  | { readonly kind: 'init'; readonly values: Readonly<Record<string, number>> & { readonly flags: string } }
  | { readonly kind: 'readdir' | 'readdirplus'; readonly entries: readonly GoldenEntry[] }
  | { readonly kind: 'error'; readonly errno: string }
  | { readonly kind: 'empty' | 'opened' }
);

export interface GoldenExchange {
  readonly comment: string;
  readonly request: GoldenRequest;
  /** null where no reply was sent. */
  readonly reply: GoldenReply | null;
}

export interface GoldenNotification {
  readonly comment: string;
  readonly kind: string;
  readonly values: Fields;
  /** 'ok', or the errno from write(2). */
  readonly result: string;
  readonly bytes: readonly string[];
}

function load<Content>(name: string): Content {
  return JSON.parse(readFileSync(join(repository, 'test/wire/golden', `${name}.json`), 'utf8')) as Content;
}

/** Each line holds up to 8 bytes in hexadecimal, a space, and their meaning. */
export function goldenBytes(lines: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(lines.map((line) => line.split(' ', 1)[0]).join(''), 'hex'));
}

export const exchanges: readonly GoldenExchange[] = ['reads', 'writes'].flatMap(
  (name) => load<{ readonly exchanges: readonly GoldenExchange[] }>(name).exchanges,
);

export const notifications: readonly GoldenNotification[] = load<{
  readonly notifications: readonly GoldenNotification[];
}>('notifications').notifications;

/** Both halves, high and low, of a u64 in hexadecimal. */
export function halves(hexadecimal: number | string | undefined): readonly [number, number] {
  const value = BigInt(hexadecimal ?? 0);
  return [Number(value >> 32n), Number(value & 0xffff_ffffn)];
}
