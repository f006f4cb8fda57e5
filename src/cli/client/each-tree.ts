import type { ControlClient } from '../../control/client.ts';
import { unnamedTrees } from './tree-path.ts';

/**
 * An answer, and the tree that the answer is about. `tree` is undefined if the answer is about the whole
 * mount, or if --tree names the tree.
 */
export interface OfTree<T> {
  readonly tree: string | undefined;
  readonly answer: T;
}

/**
 * Asks a daemon about its tree. If the mount shows several trees and the command line has no --tree, asks
 * about each tree, one after another.
 */
export async function askEachTree<T>(
  client: ControlClient,
  ask: (client: ControlClient) => Promise<T>,
): Promise<readonly OfTree<T>[]> {
  try {
    return [{ tree: undefined, answer: await ask(client) }];
  } catch (error) {
    const trees = await unnamedTrees(client, error);
    if (trees === undefined) throw error;
    const answers: OfTree<T>[] = [];
    for (const { path } of trees) answers.push({ tree: path, answer: await ask(client.inTree(path)) });
    return answers;
  }
}

/**
 * A complete list. Its items have `tree` only if the mount shows several trees and the command line has no
 * --tree.
 */
export interface ListOfTrees<Item> {
  readonly items: readonly (Item & { readonly tree?: string })[];
  readonly next: null;
}

/** Requests all pages of a list, for each tree that askEachTree() asks about. */
export async function listEachTree<Item extends object>(
  client: ControlClient,
  path: string,
): Promise<ListOfTrees<Item>> {
  const lists = await askEachTree(client, (asked) => asked.items<Item>(path));
  const items = lists.flatMap(({ tree, answer }) =>
    tree === undefined ? answer : answer.map((item) => ({ tree, ...item })),
  );
  return { items, next: null };
}
