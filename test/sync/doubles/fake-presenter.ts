import type { Presenter, Publication } from '../../../src/sync/ports.ts';

/** Records generations instead of showing them. */
export class FakePresenter implements Presenter {
  readonly publications: Publication[] = [];
  /** Called before a publication is answered. */
  onPublish: (publication: Publication) => void | Promise<void> = () => undefined;
  #released: (nodeIds: readonly number[]) => void = () => undefined;

  async publish(publication: Publication): Promise<void> {
    this.publications.push(publication);
    await this.onPublish(publication);
  }

  onReleased(callback: (nodeIds: readonly number[]) => void): void {
    this.#released = callback;
  }

  release(...nodeIds: readonly number[]): void {
    this.#released(nodeIds);
  }

  /** The paths of files that are shown. */
  files(): string[] {
    const generation = this.publications.at(-1)?.generation;
    const paths: string[] = [];
    for (let index = 0; generation !== undefined && index < generation.entries; index++) {
      if (!generation.isDirectory(index)) paths.push(generation.path(index));
    }
    return paths.sort();
  }
}
