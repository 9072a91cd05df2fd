import { z } from 'zod';
import { cursorErrors, openCursor, sealCursor } from '../../core/cursor.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { Filter, MetadataStore, Sort } from '../storage/documents.ts';
import type { EventBody } from './event.ts';

/** One place where events are: a container, or one partition of it. */
export interface Source {
  readonly container: string;
  readonly partition?: string;
}

/**
 * How far each source has been read: null at its end; `before` is the last event given, and `cursor` the store's own,
 * for a source that has given nothing since and yet has more.
 */
export type Positions = readonly (Position | null)[];
type Position = z.infer<typeof positionSchema>;

const positionSchema = z.strictObject({ before: z.string().optional(), cursor: z.string().optional() });
const positionsSchema = z.array(positionSchema.nullable());

const order: Sort = { path: ['event', 'eventId'], direction: 'desc' };
/** Of each source, for one page of ours: the store's pages can be short or empty. */
const maxReads = 5;

export interface MergedPage {
  readonly bodies: readonly EventBody[];
  /** Undefined at the end of all. */
  readonly positions: Positions | undefined;
}

/**
 * One page of events from several sources, newest first: each is read down from its position, and what is newer than
 * all that may still come is given. Reads are bounded; a page can be short.
 */
export async function mergeSources(
  store: MetadataStore,
  sources: readonly (Source & { readonly scope: readonly Filter[] })[],
  positions: Positions,
  limit: number,
): Promise<MergedPage> {
  const reads = await Promise.all(
    sources.map(async ({ scope, ...source }, index) => {
      const start = positions[index];
      return start ? readDown(store, source, scope, start, limit) : undefined;
    }),
  );
  const bodies = reads
    .flatMap((read) => read?.bodies ?? [])
    .sort((a, b) => compareDown(idOf(a), idOf(b)))
    .filter((body) => reads.every((read) => read === undefined || !mayPrecede(read, idOf(body))))
    .slice(0, limit);
  const oldest = bodies.at(-1);
  const next = reads.map((read) => (read === undefined ? null : advance(read, oldest && idOf(oldest))));
  return { bodies, positions: next.every((position) => position === null) ? undefined : next };
}

interface Read {
  readonly start: Position;
  readonly bodies: readonly EventBody[];
  /** Undefined when the source has no more than was read. */
  readonly cursor: string | undefined;
}

async function readDown(
  store: MetadataStore,
  source: Source,
  scope: readonly Filter[],
  start: Position,
  limit: number,
): Promise<Read> {
  const older: readonly Filter[] =
    start.before === undefined ? [] : [{ op: 'lt', path: order.path, value: start.before }];
  const bodies: EventBody[] = [];
  let { cursor } = start;
  for (let reads = 0; reads < maxReads && bodies.length < limit; reads += 1) {
    const page = await store.list<EventBody>({
      ...source,
      filter: { op: 'and', filters: [...scope, ...older] },
      sort: order,
      limit: limit - bodies.length,
      ...(cursor === undefined ? {} : { cursor }),
    });
    bodies.push(...page.documents.map(({ body }) => body));
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  return { start, bodies, cursor };
}

/** Whether the source may still have events newer than this one. */
function mayPrecede({ bodies, cursor }: Read, eventId: string): boolean {
  if (cursor === undefined) return false;
  const last = bodies.at(-1);
  return last === undefined || compareDown(eventId, idOf(last)) > 0;
}

/** @param oldest the last event given, of whichever source */
function advance({ start, bodies, cursor }: Read, oldest: string | undefined): Position | null {
  const last = bodies.at(-1);
  if (last === undefined) {
    if (cursor === undefined) return null;
    return start.before === undefined ? { cursor } : { before: start.before, cursor };
  }
  if (oldest === undefined) return start;
  const isAllGiven = compareDown(idOf(last), oldest) <= 0;
  return isAllGiven && cursor === undefined ? null : narrow(start, bodies, oldest);
}

/** From what was given of this source; where it was when nothing was. */
function narrow(start: Position, bodies: readonly EventBody[], oldest: string): Position {
  const given = bodies.findLast((body) => compareDown(idOf(body), oldest) <= 0);
  return given === undefined ? start : { before: idOf(given) };
}

const idOf = (body: EventBody): string => body.event.eventId;

/** Ids are ASCII: by code unit is by time. */
function compareDown(a: string, b: string): number {
  return a < b ? 1 : a > b ? -1 : 0;
}

export function sealPositions(positions: Positions, query: object): string {
  return sealCursor(query as JsonObject, positions as JsonValue);
}

/** @throws INVALID_ARGUMENT for a cursor of another query, or a damaged one */
export function openPositions(cursor: string | undefined, sources: number, query: object): Positions {
  if (cursor === undefined) return Array.from({ length: sources }, () => ({}));
  const positions = openCursor(query as JsonObject, cursor, positionsSchema);
  if (positions.length !== sources) throw cursorErrors.cursorInvalid();
  return positions;
}
