/**
 * The journal stores requests that were read from the kernel and not answered yet, in memory that outlives
 * the process. A successor takes them from here if the kernel cannot send them again (before Linux 6.9,
 * FUSE_NOTIFY_RESEND). Any process that has the device open may answer them; the kernel refuses a second
 * answer, which is harmless.
 *
 *     slots     the transport reads requests into these; a length other than 0 means: not finished
 *     entries   requests that are answered later, such as READs that wait for content; the header and body
 *               of a READ take 80 bytes of 96
 *
 * A stored request begins with its length, so that it is stored completely or not at all. The kernel copies a
 * request into a slot in one system call, which no kill interrupts; the session writes the length of an entry
 * last. Length 0 means free, and is set after the answer.
 */
export const SLOTS = 16;
/**
 * The size of a slot. The kernel refuses to read into less: max(FUSE_MIN_READ_BUFFER 8192, 80 + max_write
 * 4096).
 */
export const SLOT_BYTES = 8192;

const ENTRY_BYTES = 96;
/**
 * The maximum number of waiting requests that are stored. If the server dies while more of them wait, a
 * successor can answer the rest only where the kernel sends them again (Linux 6.9).
 */
const ENTRIES = 4096;
const ENTRIES_AT = SLOTS * SLOT_BYTES;

/** The size of the memory in bytes. */
export const JOURNAL_BYTES = ENTRIES_AT + ENTRIES * ENTRY_BYTES;

/**
 * The entry in which a request is stored; undefined if it is in no entry, for instance because none was free.
 */
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

  /** Discards all requests, because they are of another connection. */
  clear(): void {
    for (const { offset, kept } of this.unanswered()) {
      if (kept === undefined) this.freeSlot(offset);
      else this.answered(kept);
    }
  }

  /**
   * Returns the requests that the predecessor left unanswered. `offset` is an offset into `bytes`. `kept` is
   * undefined if the request is in one of the transport's slots.
   */
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

  /**
   * Copies a request that is answered later from its slot into a free entry, if there is one. The slot can
   * then be freed. Writes the length last.
   */
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

  /** Frees the slot of a request that was answered, or that was copied into an entry. */
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
