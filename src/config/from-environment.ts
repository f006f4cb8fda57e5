import { ConfigError } from './config-error.ts';
import { nearest, oppositeValue } from './nearest.ts';
import { negationOf, type OptionName, optionNames, optionOf, variableOf } from './options/options.ts';
import type { Given, GivenOptions } from './origin.ts';

const PREFIX = 'DAGMOUNT_';

/**
 * Variables with dagmount's prefix that are no options of mount: for building and testing dagmount, for its own child
 * processes, for every command (RUNTIME_DIR), for deploying (TO), and for the supervisor (HOLD, HOLD_KEY).
 */
const RESERVED =
  /^DAGMOUNT_(ADDON|READY_FD|LOG_FILE|WORKING_DIRECTORY|RUNTIME_DIR|TO|HOLD|HOLD_KEY|TEST(_[A-Z0-9_]*)?)$/;

/**
 * Variables that Kubernetes sets in every container for a service whose name begins with dagmount:
 * DAGMOUNT_SERVICE_HOST, DAGMOUNT_PORT_8080_TCP_ADDR and similar, as Docker's links did.
 */
const SERVICE_LINK =
  /^DAGMOUNT_(.+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

/**
 * Returns the options that DAGMOUNT_… variables set. Ignores an empty variable. Throws ConfigError
 * `unknown-key` for a variable that is not that of an option.
 */
export function givenByEnvironment(env: Readonly<Record<string, string | undefined>>): GivenOptions {
  const options = new Map(optionNames.map((name) => [variableOf(name), name]));
  const given = new Map<OptionName, Given>();
  for (const [variable, value = ''] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || value === '') continue;
    const name = options.get(variable);
    if (name !== undefined) {
      const text = optionOf(name).kind.isList ? split(value) : value;
      given.set(name, { text, origin: { kind: 'environment', variable } });
    } else if (!RESERVED.test(variable) && !SERVICE_LINK.test(variable)) {
      const opposite = optionNames.find((each) => oppositeVariable(each) === variable);
      if (opposite !== undefined) {
        throw new ConfigError(
          'unknown-key',
          `The environment has ${variable}=${value}, and dagmount has no such option.`,
          `It has the opposite: set ${variableOf(opposite)}=${oppositeValue(value)} in its place.`,
        );
      }
      const meant = nearest(
        variable.slice(PREFIX.length),
        [...options.keys()].map((each) => each.slice(PREFIX.length)),
      );
      throw new ConfigError(
        'unknown-key',
        `The environment has ${variable}=${value}, and dagmount has no such option.`,
        meant === undefined
          ? 'Unset it; dagmount help mount lists all options.'
          : `Did you mean ${PREFIX}${meant}? Otherwise take it away.`,
      );
    }
  }
  return given;
}

function oppositeVariable(name: OptionName): string | undefined {
  const negation = negationOf(name);
  return negation === undefined ? undefined : variableOf(negation);
}

function split(value: string): readonly string[] {
  return value
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
