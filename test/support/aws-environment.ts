import { type Cleanup, defer } from './temporary.ts';

/** Until the test ends, sets these variables and clears all other AWS_* ones: no test finds those of this host. */
export function setAwsEnvironment(t: Cleanup, variables: Readonly<Record<string, string>>): void {
  const before = { ...process.env };
  defer(t, () => {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, before);
  });
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, variables);
}
