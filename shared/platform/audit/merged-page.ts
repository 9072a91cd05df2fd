import { z } from 'zod';
import { cursorErrors, openCursor, sealCursor } from '../../core/cursor.ts';
import type { JsonObject, JsonValue } from '../../core/json/json.ts';
import type { Filter, MetadataStore, Sort } from '../storage/documents.ts';
import type { EventBody } from './event.ts';

/** A container with events, or one partition of it. */
export interface EventSource {
  readonly container: string;
  readonly partition?: string;
}

/**
 * How far each source was read: null at its end; `before` is the last event returned, and `cursor` the store's, for a
 * source whose pages have been empty since.
 */
export type SourcePositions = readonly (SourcePosition | null)[];
type SourcePosition = z.infer<typeof positionSchema>;

const positionSchema = z.strictObject({ before: z.string().optional(), cursor: z.string().optional() });
const positionsSchema = z.array(positionSchema.nullable());

const order: Sort = { path: ['event', 'eventId'], direction: 'desc' };
/** Reads of one source per page: the store's pages can be short or empty. */
const maxReads = 5;

export interface MergedPage {
  readonly bodies: readonly EventBody[];
  /** Undefined at the end of all sources. */
  readonly positions: SourcePositions | undefined;
}

/**
 * Reads one page of events from several sources, newest first: reads each source down from its position, and returns
 * the events that are newer than any that may follow. Reads are bounded, so a page can be short.
 */
export async function mergeSources(
  store: MetadataStore,
  sources: readonly (EventSource & { readonly scope: readonly Filter[] })[],
  positions: SourcePositions,
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
  readonly start: SourcePosition;
  readonly bodies: readonly EventBody[];
  /** Undefined at the end of the source. */
  readonly cursor: string | undefined;
}

async function readDown(
  store: MetadataStore,
  source: EventSource,
  scope: readonly Filter[],
  start: SourcePosition,
  limit: number,
): Promise<Read> {
  const older: readonly Filter[] =
    start.before === undefined ? [] : [{ op: 'compare', test: 'lt', path: order.path, value: start.before }];
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

/** @param oldest the last event returned, of any source */
function advance({ start, bodies, cursor }: Read, oldest: string | undefined): SourcePosition | null {
  const last = bodies.at(-1);
  if (last === undefined) {
    if (cursor === undefined) return null;
    return start.before === undefined ? { cursor } : { before: start.before, cursor };
  }
  if (oldest === undefined) return start;
  const isAllReturned = compareDown(idOf(last), oldest) <= 0;
  return isAllReturned && cursor === undefined ? null : narrow(start, bodies, oldest);
}

/** The position after the last event returned of this source; its start without one. */
function narrow(start: SourcePosition, bodies: readonly EventBody[], oldest: string): SourcePosition {
  const returned = bodies.findLast((body) => compareDown(idOf(body), oldest) <= 0);
  return returned === undefined ? start : { before: idOf(returned) };
}

const idOf = (body: EventBody): string => body.event.eventId;

/** Ids are ASCII, so code units sort by time. */
function compareDown(a: string, b: string): number {
  return a < b ? 1 : a > b ? -1 : 0;
}

export function sealPositions(positions: SourcePositions, query: object): string {
  return sealCursor(query as JsonObject, positions as JsonValue);
}

/** @throws INVALID_ARGUMENT for a cursor of another query, or a damaged one */
export function openPositions(cursor: string | undefined, sources: number, query: object): SourcePositions {
  if (cursor === undefined) return Array.from({ length: sources }, () => ({}));
  const positions = openCursor(query as JsonObject, cursor, positionsSchema);
  if (positions.length !== sources) throw cursorErrors.cursorInvalid();
  return positions;
}
