/** One server-sent event, as the HTML standard has it. */
export interface ServerSentEvent {
  /** Of this event, or the last one before it that had an id; '' where none had. */
  readonly id: string;
  /** `message` where it has no type. */
  readonly type: string;
  /** Its lines, joined. */
  readonly data: string;
}

/** Of one event: more is no event of a daemon. */
const MOST_CHARACTERS = 1024 * 1024;

/** The events of a stream that has data. Throws RangeError where one does not end. */
export async function* serverSentEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  let id = '';
  let type = '';
  let data: string[] = [];
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may be the first half of a line end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { id, type: type === '' ? 'message' : type, data: data.join('\n') };
        type = '';
        data = [];
        continue;
      }
      const [field, value] = fieldOf(line);
      if (field === 'data') data.push(value);
      else if (field === 'event') type = value;
      else if (field === 'id' && !value.includes('\0')) id = value;
    }
    if (rest.length > MOST_CHARACTERS || data.length > MOST_CHARACTERS) {
      throw new RangeError('an event of the stream has no end');
    }
  }
}

/** A comment has the empty name. */
function fieldOf(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
}
