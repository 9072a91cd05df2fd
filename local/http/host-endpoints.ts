import type { HostKeys } from './keys.ts';

/** What the host itself serves under `/admin` and `/runtime`, next to the functions. */
export interface HostEndpoint {
  /** Lower case, starts with a slash; the endpoint has everything at and below it. */
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
  /** The longest mounted prefix of a path. */
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
