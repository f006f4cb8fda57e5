/** Names the directory in which a mount was requested, for the processes of the mount. */
const VARIABLE = 'DAGMOUNT_WORKING_DIRECTORY';

/**
 * Returns the environment variables for the processes of a mount that was requested in `directory`. Every
 * server of the mount must resolve relative names against it, as the first server did: with another mount
 * point, a successor would unmount this mount. The servers cannot use their own working directory for that.
 */
export function requestedIn(directory: string): Readonly<Record<string, string>> {
  return { [VARIABLE]: directory };
}

/**
 * Returns the directory in which the mount of this process was requested. Returns undefined if it is the
 * working directory of this process. Removes the variable from `env`, so that no other process inherits it.
 */
export function takeWorkingDirectory(env: NodeJS.ProcessEnv): string | undefined {
  const directory = env[VARIABLE];
  delete env[VARIABLE];
  return directory;
}

/** A relative file name in options of Node.js begins so: after a space, an equals sign or a quote, or at the start. */
const RELATIVE = /(^|[\s="])(?=\.{1,2}\/)/g;

/**
 * Returns options of Node.js (such as `--require ./trace.js`) with absolute file names, for a process that starts
 * in another directory: Node.js resolves them before it runs any code.
 */
export function absoluteIn(directory: string, options: string): string {
  return options.replace(RELATIVE, (before) => `${before}${directory}/`);
}
