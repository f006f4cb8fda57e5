import type { Logger } from '../base/logger.ts';
import { FUSE_ALLOW_IDMAP, type InitReply } from '../wire/index.ts';

/** Warns if the connection does not allow idmapped mounts, although --allow-idmap asked for them. */
export function warnUnlessIdmap(init: InitReply | undefined, log: Pick<Logger, 'warn'>): void {
  if (init !== undefined && (init.flags & FUSE_ALLOW_IDMAP) !== 0n) return;
  log.warn(
    {
      event: 'idmap-not-allowed',
      hint: 'Use Linux 6.12 or later with the kernel driver; a mount that was made without --allow-idmap gets it by stop and start.',
    },
    'this mount cannot be idmapped, although --allow-idmap is set',
  );
}
