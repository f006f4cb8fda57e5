import { type Cleanup, defer } from './temporary.ts';

/** These variables are set, and no other of AWS's, until the test ends: nothing is found on this host by chance. */
export function setAwsEnvironment(t: Cleanup, variables: Readonly<Record<string, string>>): void {
  const before = { ...process.env };
  defer(t, () => {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, before);
  });
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, variables);
}
