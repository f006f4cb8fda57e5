/**
 * Requests that were read from the kernel and not answered yet, in memory that outlives the process. A successor
 * finds them here if the kernel cannot send them again (before Linux 6.9, FUSE_NOTIFY_RESEND). Any process that holds
 * the device may answer them; the kernel refuses a second answer, which is harmless.
 * |     the transport's slots    requests are read into these; a length other than 0 means unfinished
 * entries                  requests that wait for content: header and body of a READ, 80 bytes of 96
 *
 * A request begins with its length, so that it is stored completely or not at all: the kernel copies it in one system
 * call, which no kill interrupts. Length 0 means free; it is set after the answer.
 */
export const SLOTS = 16;
/** The kernel refuses a smaller read: max(FUSE_MIN_READ_BUFFER 8192, 80 + max_write 4096). */
export const SLOT_BYTES = 8192;

const ENTRY_BYTES = 96;
/**
 * The most waiting requests that are stored. If the server dies while more of them wait, a successor can answer the rest
 * only where the kernel sends them again (Linux 6.9).
 */
const ENTRIES = 4096;
const ENTRIES_AT = SLOTS * SLOT_BYTES;

/** Bytes of the memory. */
export const JOURNAL_BYTES = ENTRIES_AT + ENTRIES * ENTRY_BYTES;

/** A stored request; `undefined` if there was no room. */
export type Kept = number | undefined;

export class Journal {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #free: number[] = [];

  constructor(memory: ArrayBuffer) {
    this.#bytes = new Uint8Array(memory);
    this.#view = new DataView(memory);
    for (let entry = ENTRIES - 1; entry >= 0; entry--) {
      if (this.#lengthAt(entryAt(entry)) === 0) this.#free.push(entry);
    }
  }

  /** The transport's slots. */
  get slots(): Uint8Array {
    return this.#bytes.subarray(0, ENTRIES_AT);
  }

  /** Discards requests of another connection. */
  clear(): void {
    for (const { offset, kept } of this.unanswered()) {
      if (kept === undefined) this.freeSlot(offset);
      else this.answered(kept);
    }
  }

  /** The predecessor's unanswered requests, as offsets into `slots` or, with `kept`, after it. */
  unanswered(): readonly { readonly offset: number; readonly length: number; readonly kept: Kept }[] {
    const found = [];
    for (let slot = 0; slot < SLOTS; slot++) {
      const offset = slot * SLOT_BYTES;
      const length = this.#lengthAt(offset);
      if (length > 0 && length <= SLOT_BYTES) found.push({ offset, length, kept: undefined });
    }
    for (let entry = 0; entry < ENTRIES; entry++) {
      const offset = entryAt(entry);
      const length = this.#lengthAt(offset);
      if (length > 0 && length <= ENTRY_BYTES) found.push({ offset, length, kept: entry });
    }
    return found;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get view(): DataView {
    return this.#view;
  }

  /** Stores a request that is answered later, before its slot is freed. Writes the length last. */
  keep(offset: number, length: number): Kept {
    const entry = length <= ENTRY_BYTES ? this.#free.pop() : undefined;
    if (entry === undefined) return undefined;
    const at = entryAt(entry);
    this.#bytes.copyWithin(at + 4, offset + 4, offset + length);
    this.#view.setUint32(at, length, true);
    return entry;
  }

  /** Frees the entry of a request whose answer was sent. */
  answered(kept: Kept): void {
    if (kept === undefined) return;
    this.#view.setUint32(entryAt(kept), 0, true);
    this.#free.push(kept);
  }

  /** Frees the slot of a request that was answered, or stored. */
  freeSlot(offset: number): void {
    this.#view.setUint32(offset, 0, true);
  }

  #lengthAt(offset: number): number {
    return this.#view.getUint32(offset, true);
  }
}

function entryAt(entry: number): number {
  return ENTRIES_AT + entry * ENTRY_BYTES;
}
