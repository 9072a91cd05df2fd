/** One request to a tracking server. `$name` in it is replaced by a value of an earlier answer. */
export interface ScriptStep {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** After `/api/2.0/`. */
  readonly path: string;
  readonly body?: Record<string, unknown>;
  readonly query?: Record<string, string | readonly string[]>;
  /** Names for values of the answer: `{ run: 'run.info.run_id' }`. */
  readonly keep?: Record<string, string>;
}

export interface ScriptAnswer {
  readonly status: number;
  readonly json: unknown;
}

export type Send = (
  method: string,
  path: string,
  body: Record<string, unknown> | undefined,
) => Promise<ScriptAnswer>;

/** Replaces values that differ between servers by names: ids in order of appearance, times, tokens. */
export async function runScript(
  steps: readonly ScriptStep[],
  send: Send,
): Promise<readonly { readonly request: ScriptStep; readonly answer: ScriptAnswer }[]> {
  const known = new Map<string, string>();
  const fill = <T>(value: T): T =>
    JSON.parse(
      JSON.stringify(value).replaceAll(/"([^"]*)\$(\w+)/g, (_, before: string, name: string) => {
        return `"${before}${known.get(name) ?? `$${name}`}`;
      }),
    ) as T;
  const results = [];
  for (const step of steps) {
    const { method, path, body, query, keep } = fill(step);
    const search = new URLSearchParams(
      Object.entries(query ?? {}).flatMap(([name, value]) =>
        [value].flat().map((one): [string, string] => [name, one]),
      ),
    );
    const answer = await send(method, search.size === 0 ? path : `${path}?${search.toString()}`, body);
    for (const [name, place] of Object.entries(keep ?? {})) {
      const value = place
        .split('.')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], answer.json);
      if (typeof value === 'string') known.set(name, value);
    }
    results.push({ request: step, answer: { status: answer.status, json: normalise(answer.json, known) } });
  }
  return results;
}

const times = /^(creation_time|last_update_time|(creation|last_updated)_timestamp(_ms)?)$/;

function normalise(value: unknown, known: ReadonlyMap<string, string>, name = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => normalise(item, known));
    // Neither server guarantees an order within the maps of a run or experiment.
    return items.every((item) => typeof item === 'object' && item !== null && 'key' in item) &&
      name !== 'history'
      ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : items;
  }
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value)
      // Workspaces are off on both servers; only the newest reports that in each experiment.
      .filter(([key]) => key !== 'workspace')
      .map(([key, member]) => [key, normalise(member, known, key)] as const);
    return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  if (times.test(name)) return typeof value === 'number' ? '<time>' : value;
  if (name === 'next_page_token') return value === '' ? value : '<token>';
  if (typeof value !== 'string') return value;
  let text = value;
  for (const [key, id] of known)
    if (id.length > 10) text = text.replaceAll(id, `<${key}>`);
    else if (name === 'experiment_id' && text === id) text = `<${key}>`;
    else if (name.startsWith('artifact_')) text = text.replace(new RegExp(`/${id}(?=/|$)`), `/<${key}>`);
  return text;
}
