import { lookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { AppError } from '../../../core/errors.ts';
import { isPublicAddress } from './addresses.ts';

/**
 * The targets that webhooks may have: `public` is HTTPS to the public internet; `any` adds HTTP and private addresses.
 */
export type TargetPolicy = 'public' | 'any';

/** Resolves a host name, as `dns.lookup` does. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export const systemResolve: Resolve = lookup;

export const maxUrlLength = 2_048;

/**
 * Parses a webhook's URL.
 *
 * @throws INVALID_ARGUMENT, in MLflow's wording, for an invalid URL, a scheme that the policy forbids, a private
 *   address, or credentials in the URL (everyone who may list webhooks would see them)
 */
export function readTarget(text: string, policy: TargetPolicy): URL {
  if (text.trim() === '') throw invalid('Webhook URL cannot be empty or just whitespace.');
  if (text.length > maxUrlLength) throw invalid(`Webhook URL must have at most ${maxUrlLength} characters.`);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text.trim())?.[1]?.toLowerCase() ?? '';
  const schemes = policy === 'any' ? ['https', 'http'] : ['https'];
  if (!schemes.includes(scheme))
    throw invalid(`Invalid webhook URL scheme: '${scheme}'. Allowed schemes are: ${schemes.join(', ')}.`);
  const url = URL.parse(text);
  if (url === null) throw invalid('Invalid webhook URL: it must have a host and a well-formed path.');
  if (url.username !== '' || url.password !== '')
    throw invalid(
      'Invalid webhook URL: it must not hold a user name or password. Give the webhook a secret instead.',
    );
  if (policy === 'public') checkHost(url);
  return url;
}

/**
 * Creates a resolver for connections that returns checked addresses only: the connection goes to the address that was
 * checked. Under `public`, a name with any private address fails.
 */
export function createLookup(policy: TargetPolicy, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const blocked = policy === 'public' && addresses.find(({ address }) => !isPublicAddress(address));
      if (blocked) return callback(notPublic(hostname), '', 0);
      if (options.all) return callback(null, addresses);
      const [first] = addresses;
      if (first === undefined) return callback(new Error('The host name has no address.'), '', 0);
      callback(null, first.address, first.family);
    });
  };
}

/** Connections to literal addresses skip the resolver, so they are checked here. @throws INVALID_ARGUMENT */
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
