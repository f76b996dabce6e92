import { BlockList, isIP, isIPv4 } from 'node:net';

/** How local an address is, ever more so. `reserved` is link-local, cloud metadata, multicast and the like. */
const addressClasses = ['public', 'private', 'loopback', 'reserved'] as const;
export type AddressClass = (typeof addressClasses)[number];

type Subnet = readonly [address: string, prefix: number];

function blockList(subnets: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, isIPv4(address) ? 'ipv4' : 'ipv6');
  return list;
}

// IANA special-purpose address registries, and the metadata services of clouds outside the link-local range.
const reserved = blockList([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24], // Oracle's metadata service is at 192.0.0.192
  ['100.100.100.200', 32], // Alibaba
  ['168.63.129.16', 32], // Azure
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['192.88.99.0', 24], // relays to 6to4
  ['100::', 64], // discarded
  ['2001::', 32], // Teredo
  ['::', 128],
  ['fe80::', 10],
  ['fd00:ec2::', 32], // AWS
  ['fd20:ce::254', 128], // Google
  ['ff00::', 8],
]);
const loopback = blockList([
  ['127.0.0.0', 8],
  ['::1', 128],
]);
const privateUse = blockList([
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['fc00::', 7],
  ['fec0::', 10],
  ['64:ff9b:1::', 48],
]);

/** Classifies an IP address as text. What is no address is `reserved`: it is refused wherever that matters. */
export function classifyAddress(text: string): AddressClass {
  const address = text.split('%', 1)[0] ?? '';
  const family = isIP(address);
  if (family === 0) return 'reserved';
  const embedded = family === 6 ? embeddedIPv4(address) : undefined;
  if (embedded !== undefined) return classifyAddress(embedded);
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (reserved.check(address, type)) return 'reserved';
  if (loopback.check(address, type)) return 'loopback';
  return privateUse.check(address, type) ? 'private' : 'public';
}

export function isMoreLocal(address: AddressClass, reach: AddressClass): boolean {
  return addressClasses.indexOf(address) > addressClasses.indexOf(reach);
}

/** The IPv4 address that an IPv6 one stands for: mapped, compatible, translated, NAT64 (RFC 6052) and 6to4 (RFC 3056). */
function embeddedIPv4(address: string): string | undefined {
  const groups = expandIPv6(address);
  const dotted = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');
  const prefix = groups.slice(0, 6).join(':');
  if (groups[0] === 0x2002) return dotted(groups[1], groups[2]);
  const isCompatible = prefix === '0:0:0:0:0:0' && groups[6] !== 0;
  // ::ffff:0:0/96 and 64:ff9b::/96, each group in decimal.
  const isMapped = prefix === '0:0:0:0:0:65535';
  // IPv4-translated (RFC 2765): ::ffff:0:0:0/96.
  const isTranslated = prefix === '0:0:0:0:65535:0';
  const isNat64 = prefix === '100:65435:0:0:0:0';
  return isCompatible || isMapped || isTranslated || isNat64 ? dotted(groups[6], groups[7]) : undefined;
}

function expandIPv6(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [parse(head), parse(tail ?? '')];
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}
