/** An object that was written or deleted, as an event names it. */
export interface ObjectEvent {
  readonly bucket: string;
  readonly key: string;
}

/** The most nested envelopes: SNS puts its own around what it delivers. */
const MOST_ENVELOPES = 3;

/**
 * The objects that a message is about. The message is a notification of S3, an event of EventBridge, or one of these
 * inside an SNS envelope. Empty for S3's test of a new notification; undefined for any other message.
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

/** Of `{ "bucket": { "name" }, "object": { "key" } }`, which both kinds have. */
function eventOf(
  { bucket, object }: Readonly<Record<string, unknown>>,
  decode: (key: string) => string,
): ObjectEvent | undefined {
  if (!isRecord(bucket) || !isRecord(object)) return undefined;
  const { name } = bucket;
  const { key } = object;
  return typeof name === 'string' && typeof key === 'string' ? { bucket: name, key: decode(key) } : undefined;
}

/** S3 encodes keys in notifications like form fields; EventBridge does not encode them. */
function decodedKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    // Not UTF-8: the undecoded key is enough to tell a prefix.
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
