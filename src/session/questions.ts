import type { Stop } from '../cache/single-flight.ts';
import type { FromSession } from './messages.ts';

export interface QuestionsOptions<Answer> {
  readonly tell: (message: FromSession) => void;
  /** Returns a new id for each question of a session, whatever its kind. */
  readonly newId: () => number;
  /** The answer if the question's signal aborts, or if the main thread is gone. */
  readonly unavailable: Answer;
}

/** Sends questions of one kind to the main thread. No question's promise rejects. */
export class Questions<Answer> {
  readonly #options: QuestionsOptions<Answer>;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #closed = false;

  constructor(options: QuestionsOptions<Answer>) {
    this.#options = options;
  }

  ask(question: (id: number) => FromSession, signal?: Stop): Promise<Answer> {
    const { tell, newId, unavailable } = this.#options;
    if (this.#closed) return Promise.resolve(unavailable);
    const id = newId();
    return new Promise((resolve) => {
      const abandon = (): void => {
        this.#waiting.delete(id);
        tell({ kind: 'abandon', id });
        resolve(unavailable);
      };
      signal?.addEventListener('abort', abandon);
      this.#waiting.set(id, (answer) => {
        signal?.removeEventListener('abort', abandon);
        resolve(answer);
      });
      tell(question(id));
    });
  }

  answered(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  /** Answers all waiting and later questions with `unavailable`, because the main thread is gone. */
  close(): void {
    this.#closed = true;
    for (const answer of this.#waiting.values()) answer(this.#options.unavailable);
    this.#waiting.clear();
  }
}
