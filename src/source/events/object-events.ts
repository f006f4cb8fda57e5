/** An object that was written or deleted, as an event names it. */
export interface ObjectEvent {
  readonly bucket: string;
  readonly key: string;
}

/**
 * The maximum number of nested envelopes in a message: SNS puts an envelope around each message that it
 * delivers.
 */
const MOST_ENVELOPES = 3;

/**
 * Returns the objects that a message is about. The message is a notification of S3, an event of EventBridge,
 * or one of these inside an SNS envelope. Returns an empty list for the test message of a new S3
 * notification, and undefined for any other message.
 */
export function objectEventsOf(text: string): readonly ObjectEvent[] | undefined {
  let given: unknown = text;
  for (let envelope = 0; envelope < MOST_ENVELOPES; envelope += 1) {
    if (typeof given === 'string') given = parsed(given);
    if (!isRecord(given)) return undefined;
    if (typeof given.Message === 'string' && typeof given.TopicArn === 'string') given = given.Message;
    else return eventsOf(given);
  }
  return undefined;
}

function eventsOf(given: Readonly<Record<string, unknown>>): readonly ObjectEvent[] | undefined {
  if (given.Event === 's3:TestEvent') return [];
  if (given.source === 'aws.s3' && isRecord(given.detail)) {
    const event = eventOf(given.detail, (key) => key);
    return event === undefined ? undefined : [event];
  }
  if (!Array.isArray(given.Records)) return undefined;
  const events = given.Records.map((record: unknown) =>
    isRecord(record) && isRecord(record.s3) ? eventOf(record.s3, decodedKey) : undefined,
  );
  return events.every((event) => event !== undefined) ? events : undefined;
}

/**
 * Reads `{ "bucket": { "name" }, "object": { "key" } }`, which S3 and EventBridge both send. Returns
 * undefined for anything else.
 */
function eventOf(
  { bucket, object }: Readonly<Record<string, unknown>>,
  decode: (key: string) => string,
): ObjectEvent | undefined {
  if (!isRecord(bucket) || !isRecord(object)) return undefined;
  const { name } = bucket;
  const { key } = object;
  return typeof name === 'string' && typeof key === 'string' ? { bucket: name, key: decode(key) } : undefined;
}

/**
 * Decodes a key of an S3 notification, which S3 encodes like a form field. EventBridge does not encode keys.
 */
function decodedKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    // The key is not UTF-8. Undecoded, it is enough for a comparison with a prefix.
    return key;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRecord(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}
