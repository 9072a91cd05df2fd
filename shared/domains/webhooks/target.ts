import { lookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { AppError } from '../../core/errors.ts';
import { isPublicAddress } from './addresses.ts';

/** Where webhooks may go: `public` is HTTPS to the public internet; `any` also HTTP, and this machine and its network. */
export type TargetPolicy = 'public' | 'any';

/** Finds the addresses of a name, as `dns.lookup` does. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export const maxUrlLength = 2_048;

/**
 * Reads a webhook's address.
 *
 * @throws INVALID_ARGUMENT, in words that MLflow's clients know, for one that is no URL, whose scheme is not allowed,
 *   that names a private address, or that holds credentials (which would be shown to whoever may list webhooks)
 */
export function readTarget(text: string, policy: TargetPolicy): URL {
  if (text.trim() === '') throw invalid('Webhook URL cannot be empty or just whitespace.');
  if (text.length > maxUrlLength) throw invalid(`Webhook URL must have at most ${maxUrlLength} characters.`);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text.trim())?.[1]?.toLowerCase() ?? '';
  const schemes = policy === 'any' ? ['https', 'http'] : ['https'];
  if (!schemes.includes(scheme))
    throw invalid(`Invalid webhook URL scheme: '${scheme}'. Allowed schemes are: ${schemes.join(', ')}.`);
  const url = URL.parse(text);
  if (url === null)
    throw invalid('Invalid webhook URL: it must have a host, and a path that is well-formed.');
  if (url.username !== '' || url.password !== '')
    throw invalid(
      'Invalid webhook URL: it must not hold a user name or password; give the webhook a secret.',
    );
  if (policy === 'public') checkHost(url);
  return url;
}

/**
 * A resolver for connections that gives only addresses that were checked, so that what is connected to is what was
 * checked. A name with any private address is refused as a whole.
 */
export function createLookup(policy: TargetPolicy, resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const blocked = policy === 'public' && addresses.find(({ address }) => !isPublicAddress(address));
      if (blocked) return callback(notPublic(hostname), '', 0);
      if (options.all) return callback(null, addresses);
      const [first] = addresses;
      if (first === undefined) return callback(new Error('The name has no address.'), '', 0);
      callback(null, first.address, first.family);
    });
  };
}

/** Connections to literal addresses ask no resolver. @throws INVALID_ARGUMENT */
function checkHost(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isLocalName = /^(.*\.)?(localhost|local|internal)\.?$/i.test(host);
  if (isLocalName || (isIP(host) !== 0 && !isPublicAddress(host))) throw notPublic(host);
}

function notPublic(host: string): AppError {
  return new AppError('INVALID_ARGUMENT', `Webhook URL host '${host}' is not a public address.`, {
    remedy: 'Use a public HTTPS address, or set SLIPWAY_WEBHOOK_TARGETS to "any".',
  });
}

function invalid(message: string): AppError {
  return new AppError('INVALID_ARGUMENT', message, { field: 'url' });
}
