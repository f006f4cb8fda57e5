import { takeoverPaths } from '../state/takeover-file.ts';
import { readVerified } from '../state/verified-file.ts';
import { ContentState } from '../sync/content-state.ts';
import type { LeftState } from './kept-state.ts';

/**
 * Returns the state of a kept tree's content. If the connection is resumed, content that the previous server had
 * verified is verified. Undefined without a kept tree.
 */
export function keptContent(
  { restored, succession }: LeftState,
  runtimeDirectory: string,
): ContentState | undefined {
  if (restored === undefined) return undefined;
  const { entries, number } = restored.generation;
  const content = new ContentState(entries);
  if (succession !== undefined)
    readVerified(takeoverPaths(runtimeDirectory).verified, number, content.fingerprints);
  return content;
}
