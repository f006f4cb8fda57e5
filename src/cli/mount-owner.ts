import type { Mount } from '../config/mountinfo.ts';

/** The uid of whoever mounted it. */
export function ownerOf(mount: Mount): number | undefined {
  const option = mount.superOptions.find((each) => each.startsWith('user_id='));
  return option === undefined ? undefined : Number(option.slice('user_id='.length));
}
