import { persistedFiles } from '../base/persisted-files.ts';

const SHARD_LENGTH = 2;
const SHARD = /^[0-9a-f]{2}$/;
const REST = /^[0-9a-f]{30}(?:\.(?:0|[1-9][0-9]{0,9}))?$/;

/**
 * Returns a blob's unique key: the version's name (32 hex digits), then the chunk's number if the blob is a
 * chunk.
 */
export function blobKey(name: string, chunk: number | undefined): string {
  return chunk === undefined ? name : `${name}.${chunk}`;
}

/**
 * Returns the path of a blob's file, in which the content starts at offset 0. `directory` is the mount's own
 * cache directory.
 */
export function blobPath(directory: string, name: string, chunk: number | undefined): string {
  return pathOfKey(directory, blobKey(name, chunk));
}

export function pathOfKey(directory: string, key: string): string {
  return `${shardPath(directory, shardOf(key))}/${key.slice(SHARD_LENGTH)}`;
}

/**
 * Returns the shard of a blob: one of 256 directories over which blobs are spread, so that no directory grows
 * large.
 */
export function shardOf(key: string): string {
  return key.slice(0, SHARD_LENGTH);
}

export function shardPath(directory: string, shard: string): string {
  return `${blobsPath(directory)}/${shard}`;
}

export function blobsPath(directory: string): string {
  return `${directory}/${persistedFiles.blobs.name}`;
}

export function isShard(name: string): boolean {
  return SHARD.test(name);
}

/**
 * Returns the key of the blob whose file has the name `file` in a shard; undefined if no blob can have that
 * name.
 */
export function keyOfFile(shard: string, file: string): string | undefined {
  return REST.test(file) ? shard + file : undefined;
}

/** The version's name in a key. */
export function nameOfKey(key: string): string {
  return key.slice(0, 32);
}
