import type { CommandFlag } from './command-spec.ts';

const socket: CommandFlag = {
  name: 'socket',
  help: 'The control socket of the daemon that is meant',
  placeholder: 'PATH',
  completes: 'sockets',
};
const mount: CommandFlag = {
  name: 'mount',
  help: 'The mount point of the daemon that is meant; not needed where just one runs',
  placeholder: 'MOUNTPOINT',
  completes: 'mount-points',
};

/** The flags that select one daemon. */
export const whichOne: readonly CommandFlag[] = [socket, mount];
/** The flags that select one or more daemons. */
export const which: readonly CommandFlag[] = [
  { ...socket, help: `${socket.help}; given several times, each is asked`, repeats: true },
  mount,
];

/** The flag that selects one of the trees of a mount. */
export const tree: CommandFlag = {
  name: 'tree',
  help: 'The tree that is meant, by its directory below the mount point; only where the mount shows several',
  placeholder: 'DIRECTORY',
  completes: 'trees',
};

export const json: CommandFlag = {
  name: 'json',
  help: 'Print one JSON document; for several sockets an array of them',
};

export const timeout: CommandFlag = {
  name: 'timeout',
  help: 'How long to wait; 60s unless given',
  placeholder: 'DURATION',
};
