import type { ControlClient } from '../../control/client.ts';
import { ClientError } from '../../control/client-error.ts';
import type { Status } from '../../control/shapes/status.ts';

/** An answer, and the tree that it is of; undefined if it is of the whole mount, or --tree names the tree. */
export interface OfTree<T> {
  readonly tree: string | undefined;
  readonly answer: T;
}

/** Asks a daemon about its tree; about each, one after another, if it shows several and none is named. */
export async function askEachTree<T>(
  client: ControlClient,
  ask: (client: ControlClient) => Promise<T>,
): Promise<readonly OfTree<T>[]> {
  try {
    return [{ tree: undefined, answer: await ask(client) }];
  } catch (error) {
    if (client.tree !== undefined || !(error instanceof ClientError) || error.code !== 'not-found')
      throw error;
    const { trees } = await client.ask<Pick<Status, 'trees'>>('/v1/status');
    if (trees === undefined) throw error;
    const answers: OfTree<T>[] = [];
    for (const { path } of trees) answers.push({ tree: path, answer: await ask(client.inTree(path)) });
    return answers;
  }
}

/** The items of lists, each with the tree that it is of. */
export function itemsOfTrees<Item extends object>(
  lists: readonly OfTree<readonly Item[]>[],
): (Item & { readonly tree?: string })[] {
  return lists.flatMap(({ tree, answer }) =>
    tree === undefined ? answer : answer.map((item) => ({ tree, ...item })),
  );
}
