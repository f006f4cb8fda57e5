/** A notification as S3 puts it into a queue (version 2.1), with the fields that the server reads. */
export function s3Notification(bucket: string, ...keys: readonly string[]): string {
  return JSON.stringify({
    Records: keys.map((key) => ({
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'eu-central-1',
      eventTime: '2026-11-29T09:00:00.000Z',
      eventName: 'ObjectCreated:Put',
      s3: {
        s3SchemaVersion: '1.0',
        bucket: { name: bucket, arn: `arn:aws:s3:::${bucket}` },
        object: {
          key: encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/'),
          size: 7,
          eTag: 'd41d8cd98f00b204e9800998ecf8427e',
        },
      },
    })),
  });
}

/** An event as EventBridge hands it to a target. */
export function eventBridgeEvent(bucket: string, key: string): string {
  return JSON.stringify({
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '111122223333',
    time: '2026-11-29T09:00:00Z',
    region: 'eu-central-1',
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: { key, size: 5, etag: 'b1946ac92492d2347c6235b4d2611184' },
      reason: 'PutObject',
    },
  });
}

/** A message as SNS delivers it without raw delivery. */
export function inSns(message: string): string {
  return JSON.stringify({
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: 'arn:aws:sns:eu-central-1:111122223333:dags',
    Subject: 'Amazon S3 Notification',
    Message: message,
    Timestamp: '2026-11-29T09:00:00.000Z',
  });
}
