import type { ContentStore } from '../cache/receive.ts';
import type { SameObject } from '../source/standby/compare-listings.ts';
import { SwitchedContent } from '../source/standby/switched-content.ts';
import type { SourceContent } from '../takeover/tree-preparation.ts';

type Content = ReturnType<SourceContent['content']>;

/** The content and the request planner of the store from which trees are currently read. */
export class ContentSwitch {
  readonly #planners = new Map<ContentStore, Content['planner']>();
  #switched: SwitchedContent | undefined;
  #active: ContentStore | undefined;

  /** Must be called once, for the first store. Returns content and planner that follow every later switch. */
  over(first: Content): Content {
    this.#switched = new SwitchedContent(first.content);
    this.#active = first.content;
    this.#planners.set(first.content, first.planner);
    const planned = (store: ContentStore | undefined) => store && this.#planners.get(store);
    const planner = first.planner && {
      plan: (...wanted: Parameters<NonNullable<Content['planner']>['plan']>) =>
        (planned(this.#active) ?? first.planner!).plan(...wanted),
    };
    this.first = first.content;
    return { content: this.#switched, planner, close: first.close };
  }

  /** The content of the first store, which no switch changes; undefined before `over` is called. */
  first: ContentStore | undefined;

  /** Adds another store to which reads may be switched. */
  add({ content, planner }: Omit<Content, 'close'>): void {
    this.#planners.set(content, planner);
  }

  use(store: ContentStore, same: ReadonlyMap<string, SameObject>): void {
    this.#active = store;
    this.#switched?.use(store, same);
  }
}
