import { type Seaweedfs, startSeaweedfs } from '../test/support/seaweedfs.ts';

export interface FilledStore {
  readonly seaweedfs: Seaweedfs;
  readonly bucket: string;
  readonly files: ReadonlyMap<string, string>;
}

/** Objects of `bytes` below dags/, a hundred a directory, each with bytes of its own. */
export async function fillStore(count: number, bytes: number): Promise<FilledStore> {
  const seaweedfs = await startSeaweedfs();
  try {
    const bucket = await seaweedfs.createBucket();
    const files = new Map<string, string>();
    for (let index = 0; index < count; index += 1) {
      const path = `team_${padded(Math.floor(index / 100), 4)}/dag_${padded(index, 6)}.py`;
      const line = `# ${path}\n`;
      files.set(path, line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes));
    }
    await seaweedfs.putAll(
      bucket,
      [...files].map(([path, body]) => [`dags/${path}`, body] as const),
    );
    return { seaweedfs, bucket, files };
  } catch (error) {
    await seaweedfs.stop();
    throw error;
  }
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
