import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Networks that webhooks may not reach: those that are not globally routable, and Azure's platform address. */
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
  // Azure's platform inside every virtual machine, although numbered as a public address.
  ['168.63.129.16', 32],
] as const;

/** Within 2000::/3, the only routed block of IPv6: networks that are not routed or embed IPv4 addresses. */
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
 * Whether an address belongs to the public internet. IPv6 addresses that embed an IPv4 address (mapped, 6to4, NAT64,
 * Teredo) do not: they can hide a private address, and no receiver needs them.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !notPublic.check(address, 'ipv4');
  return isIPv6(address) && routed.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
}
