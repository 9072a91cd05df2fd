import type { HostKeys } from './keys.ts';

/** A part of the host's own API under `/admin` or `/runtime`. */
export interface HostEndpoint {
  /** Lower case, starts with a slash. The endpoint serves this path and everything below it. */
  readonly prefix: string;
  /** `path` is below the prefix. */
  readonly isOpenedBy: (keys: HostKeys, key: string | undefined, path: string) => boolean;
  handle(request: HostRequest): Promise<HostReply>;
}

interface HostRequest {
  readonly method: string;
  /** Below the prefix, without it; percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

export interface HostReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface HostEndpoints {
  mount(endpoint: HostEndpoint): void;
  /** @returns the endpoint with the longest prefix of the path */
  find(path: string): HostEndpoint | undefined;
}

export function createHostEndpoints(): HostEndpoints {
  const endpoints: HostEndpoint[] = [];
  return {
    mount(endpoint) {
      endpoints.push(endpoint);
      endpoints.sort((a, b) => b.prefix.length - a.prefix.length);
    },
    find(path) {
      const lower = path.toLowerCase();
      return endpoints.find(({ prefix }) => lower === prefix || lower.startsWith(`${prefix}/`));
    },
  };
}

export function jsonReply(status: number, value: unknown): HostReply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(value),
  };
}
