import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../base/replace-file.ts';
import type { MountRequest, VolumeContext } from './volume.ts';

/** A volume that is published, or was being published when the driver was killed. */
export interface VolumeRecord {
  readonly volumeId: string;
  readonly target: string;
  /** The attributes that the volume's author wrote. */
  readonly attributes: VolumeContext;
  readonly request: MountRequest;
}

/** The published volumes, for the next driver: a JSON file for each target, in the driver's own directory. */
export class VolumeRecords {
  readonly #directory: string;
  readonly #records = new Map<string, VolumeRecord>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(directory)) {
      const record = name.endsWith('.json') ? readRecord(join(directory, name)) : undefined;
      // The file is incomplete: a killed driver was writing it, and had not bound the volume yet.
      if (record === undefined || fileOf(record.target) !== name)
        rmSync(join(directory, name), { force: true });
      else this.#records.set(record.target, record);
    }
  }

  all(): readonly VolumeRecord[] {
    return [...this.#records.values()];
  }

  of(target: string): VolumeRecord | undefined {
    return this.#records.get(target);
  }

  /** Adds a record. The file is written before this function returns. */
  keep(record: VolumeRecord): void {
    replaceFile(join(this.#directory, fileOf(record.target)), JSON.stringify(record));
    this.#records.set(record.target, record);
  }

  remove(target: string): void {
    rmSync(join(this.#directory, fileOf(target)), { force: true });
    this.#records.delete(target);
  }
}

function fileOf(target: string): string {
  return `${createHash('sha256').update(target).digest('hex').slice(0, 32)}.json`;
}

function readRecord(path: string): VolumeRecord | undefined {
  try {
    const {
      volumeId,
      target,
      attributes = {},
      request,
    } = JSON.parse(readFileSync(path, 'utf8')) as Partial<VolumeRecord>;
    const isWhole =
      typeof volumeId === 'string' && typeof target === 'string' && typeof request?.key === 'string';
    return isWhole ? { volumeId, target, attributes, request } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
