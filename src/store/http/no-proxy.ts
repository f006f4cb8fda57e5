import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** One entry of NO_PROXY: hosts that are contacted without a proxy. */
type Exemption =
  | { readonly kind: 'all' }
  /** A name and its subdomains. `only`: the subdomains without the name itself. */
  | {
      readonly kind: 'name';
      readonly name: string;
      readonly only: boolean;
      readonly port: string | undefined;
    }
  | { readonly kind: 'addresses'; readonly list: BlockList; readonly port: string | undefined };

const FAMILIES = { 4: 'ipv4', 6: 'ipv6' } as const;
const NAME = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * Whether NO_PROXY exempts an origin. NO_PROXY has no standard. This accepts what curl, Go and botocore
 * (Python's urllib) agree on, and what one of them supports and the others ignore: names with their
 * subdomains, a leading dot or `*.`, ports, addresses also in brackets, CIDR blocks, `*`. A block exempts
 * only hosts given as an address, because names are not resolved.
 *
 * No library does this: neither proxy-from-env nor undici's EnvHttpProxyAgent supports blocks or IPv6
 * addresses, or can report entries that it did not understand. Node.js matches the blocks.
 */
export function isExempt(origin: URL, no: string): boolean {
  const host = origin.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const port = origin.port || (origin.protocol === 'https:' ? '443' : '80');
  return entriesOf(no).some((entry) => {
    const exemption = exemptionOf(entry);
    if (exemption === undefined) return false;
    if (exemption.kind === 'all') return true;
    if (exemption.port !== undefined && exemption.port !== port) return false;
    if (exemption.kind === 'addresses') return holds(exemption.list, host);
    return host.endsWith(`.${exemption.name}`) || (!exemption.only && host === exemption.name);
  });
}

/** Returns the entries of NO_PROXY that cannot be parsed, and therefore exempt nothing. */
export function unknownExemptions(no: string): readonly string[] {
  return entriesOf(no).filter((entry) => exemptionOf(entry) === undefined);
}

/** Splits NO_PROXY at commas, as all clients do, and at blanks, as curl does. */
function entriesOf(no: string): readonly string[] {
  return no.split(/[,\s]+/).filter((entry) => entry !== '');
}

function exemptionOf(entry: string): Exemption | undefined {
  if (entry === '*') return { kind: 'all' };
  const [, bracketed, bracketPort] = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(entry) ?? [];
  if (bracketed !== undefined) return addresses(bracketed, bracketPort);
  if (entry.includes('/') || isIP(entry) !== 0) return addresses(entry, undefined);
  const [, host = '', port] = /^([^:]*)(?::(\d{1,5}))?$/.exec(entry) ?? [];
  if (isIP(host) !== 0) return addresses(host, port);
  const only = host.startsWith('*.');
  const name = domainToASCII((only ? host.slice(1) : host).replace(/^\.+|\.$/g, '')).toLowerCase();
  return NAME.test(name) ? { kind: 'name', name, only, port } : undefined;
}

/** Parses an address, or a CIDR block of addresses; returns undefined for any other text. */
function addresses(text: string, port: string | undefined): Exemption | undefined {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if ((version !== 4 && version !== 6) || more.length > 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (!(prefix <= most)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, prefix, FAMILIES[version]);
  return { kind: 'addresses', list, port };
}

function holds(list: BlockList, host: string): boolean {
  const version = isIP(host);
  return (version === 4 || version === 6) && list.check(host, FAMILIES[version]);
}
