import * as kinds from '../kinds.ts';
import { setting } from './option.ts';

/** The options about the mount as the kernel and its users see it, and about the processes that serve it. */
export const mountOptions = {
  uid: setting({
    group: 'mount',
    kind: kinds.owner('UID', 'id -u'),
    help: 'Owner of every file',
    default: ({ uid }) => String(uid),
    described: "the caller's",
  }),
  gid: setting({
    group: 'mount',
    kind: kinds.owner('GID', 'id -g'),
    help: 'Group of every file',
    default: ({ gid }) => String(gid),
    described: "the caller's",
  }),
  umask: setting({
    group: 'mount',
    kind: kinds.mode(),
    help: 'Permission bits that files and directories do not have',
    default: '0222',
  }),
  'allow-other': setting({
    group: 'mount',
    kind: kinds.toggle(),
    help: 'Let other users read the mount; without root this needs user_allow_other in /etc/fuse.conf',
    default: ({ uid }) => String(uid === 0),
    described: 'on as root',
  }),
  'allow-idmap': setting({
    group: 'mount',
    kind: kinds.toggle(),
    help: 'Allow idmapped mounts of the mount, which pods with a user namespace need; Linux 6.12. dagmount then does not distinguish waiting reads by user',
    default: 'false',
    described: 'off',
  }),
  'takeover-deadline': setting({
    group: 'mount',
    kind: kinds.duration({ min: '1s', max: '24h' }),
    help: 'How long readers wait for a new server after the server has died; then their calls fail, and dagmount replaces the mount',
    default: '60s',
  }),
  'no-standby': setting({
    group: 'mount',
    kind: kinds.toggle(),
    help: 'Keep no standby server: saves some 60 MiB, and readers wait longer when the server dies',
    default: 'false',
    described: 'off',
  }),
  driver: setting({
    group: 'mount',
    kind: kinds.choice(['auto', 'kernel', 'fuse-native']),
    help: 'Driver for the FUSE protocol of the kernel; auto uses kernel, or fuse-native with a warning if kernel cannot be used',
    default: 'auto',
  }),
} as const;
