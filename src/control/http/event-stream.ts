/** One server-sent event of the HTML standard. */
export interface ServerSentEvent {
  /** The id of this event, or of the last one before it that had an id; '' if none had one. */
  readonly id: string;
  /** The type of the event; `message` if it has none. */
  readonly type: string;
  /** The lines of the event's data, joined. */
  readonly data: string;
}

/** Maximum length of an event. A daemon sends no longer one. */
const MOST_CHARACTERS = 1024 * 1024;

/** Parses a stream, and yields its events that have data. Throws RangeError if an event does not end. */
export async function* serverSentEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  let id = '';
  let type = '';
  let data: string[] = [];
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // Does not split at a carriage return at the end, which may be the first half of a line end.
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

/** Splits a line into the name and the value of a field. The name is empty for a comment. */
function fieldOf(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
}
