import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Networks that no webhook of a stranger's may reach: whatever is not globally routable, and Azure's own host address. */
const privateIPv4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // The address of Azure's platform inside every virtual machine: public by its number only.
  ['168.63.129.16', 32],
] as const;

/** Within the one block of IPv6 that is routed at all (2000::/3): what is not, or leads to an IPv4 address. */
const privateIPv6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const notPublic = new BlockList();
for (const [network, prefix] of privateIPv4) notPublic.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of privateIPv6) notPublic.addSubnet(network, prefix, 'ipv6');
const routed = new BlockList();
routed.addSubnet('2000::', 3, 'ipv6');

/**
 * Whether an address is one of the public internet. Addresses that carry an IPv4 address inside (mapped, 6to4, NAT64,
 * Teredo) are not: nothing needs them, and much hides behind them.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !notPublic.check(address, 'ipv4');
  return isIPv6(address) && routed.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
}
