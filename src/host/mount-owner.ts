import type { Mount } from './mountinfo.ts';

/** A user and the group for the user's files. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** The uid of the user that made the mount, as the kernel knows it. */
export function ownerOf(mount: Pick<Mount, 'superOptions'>): number | undefined {
  return numberIn(mount, 'user_id=');
}

/** The user and the group for which the mount was made; undefined if the kernel does not report both. */
export function identityOfOwner(mount: Mount): Identity | undefined {
  const [uid, gid] = [ownerOf(mount), numberIn(mount, 'group_id=')];
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function numberIn({ superOptions }: Pick<Mount, 'superOptions'>, name: string): number | undefined {
  const option = superOptions.find((each) => each.startsWith(name));
  const value = Number(option?.slice(name.length) || Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}
