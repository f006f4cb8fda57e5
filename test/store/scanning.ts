import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ListingColumns } from '../../src/store/listing/columns.ts';
import { scanListingPage } from '../../src/store/listing/scanner.ts';
import { StoreError, type StoreErrorCode } from '../../src/store/store-error.ts';
import { repository } from '../support/repository.ts';
import { type Row, rowsOf } from './list-answers.ts';

/** So small that every column must grow. */
export const TINY = { rows: 1, keyBytes: 0, etagBytes: 0 };

export const AWS = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
    <Name>amzn-s3-demo-bucket</Name>
    <Prefix>dags%2F</Prefix>
    <KeyCount>3</KeyCount>
    <MaxKeys>1000</MaxKeys>
    <EncodingType>url</EncodingType>
    <IsTruncated>false</IsTruncated>
    <Contents>
        <Key>dags/my+dag%2B1.py</Key>
        <LastModified>2009-10-12T17:50:30.000Z</LastModified>
        <ETag>"fba9dede5f27731c9771645a39863328"</ETag>
        <ChecksumAlgorithm>CRC32</ChecksumAlgorithm>
        <ChecksumAlgorithm>SHA256</ChecksumAlgorithm>
        <Size>434234</Size>
        <StorageClass>STANDARD</StorageClass>
    </Contents>
    <Contents>
        <Key>dags/old.py</Key>
        <LastModified>2015-02-03T04:05:06.789Z</LastModified>
        <ETag>&#34;fba9dede5f27731c9771645a39863328-12&#x22;</ETag>
        <Size>0</Size>
        <Owner>
            <ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID>
            <DisplayName>Size</DisplayName>
        </Owner>
        <RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus>
        <StorageClass>GLACIER</StorageClass>
    </Contents>
    <Contents>
        <Key>dags/instant.py</Key>
        <LastModified>2015-02-03T04:05:06.000Z</LastModified>
        <ETag>"0"</ETag>
        <Size>9007199254740991</Size>
        <StorageClass>GLACIER_IR</StorageClass>
    </Contents>
</ListBucketResult>
`;

export const OBJECT =
  '<Contents><Key>dags/a.py</Key><LastModified>2026-01-02T03:04:05Z</LastModified><ETag>"e1"</ETag><Size>5</Size></Contents>';

export function page(body: string): string {
  return `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${body}</ListBucketResult>`;
}

export function scan(
  text: string | Uint8Array,
  options: { prefix?: string; literal?: boolean; maxPageRows?: number } = {},
) {
  const columns = new ListingColumns(TINY);
  const { prefix = 'dags/', ...others } = options;
  const result = scanListingPage(Buffer.from(text), { prefix: Buffer.from(prefix), columns, ...others });
  return { page: result, rows: rowsOf(columns) };
}

export function keys(rows: readonly Row[]): readonly string[] {
  return rows.map(({ key }) => Buffer.from(key, 'latin1').toString());
}

export function refusal(text: string | Uint8Array, options: Parameters<typeof scan>[1] = {}): StoreError {
  try {
    scan(text, options);
  } catch (error) {
    assert.ok(error instanceof StoreError, `not a StoreError: ${error}`);
    return error;
  }
  throw new assert.AssertionError({ message: `accepted: ${text}` });
}

export function refuses(
  code: StoreErrorCode,
  text: string | Uint8Array,
  options: Parameters<typeof scan>[1] = {},
): void {
  assert.equal(refusal(text, options).code, code, String(text).slice(0, 300));
}

export function sample(name: string): Buffer {
  return readFileSync(join(repository, 'test/store/list-samples', name));
}
