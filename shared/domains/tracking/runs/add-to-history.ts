import type { MetadataStore } from '../../../platform/storage/documents.ts';
import { checkBody } from '../../../platform/storage/document-rules.ts';
import type { Pace } from '../../../platform/storage/optimistic.ts';
import type { TailPoint } from '../documents.ts';
import type { Metric } from '../entities.ts';
import { addToChunk, chunkPoints, ownChunkPoints, writeOwnChunk } from '../metrics/chunks.ts';
import { fromTailPoint, identityOf, toTailPoint } from '../metrics/points.ts';
import type { RunDraft } from './draft.ts';

/** So many points wait in the run's document, where adding one costs no further write. */
const tailPoints = 64;
/** A run that has ended keeps no more than so many: a chunk for less would weigh more than they do. */
const tailPointsAtEnd = 16;
/** From here on it is worth to see whether the document has room, before a chunk is written for it. */
const heavyWeight = 1_000_000;

/** Whether a change adds so many points that they are written before the run's document. */
export function hasLargeAddition(draft: RunDraft): boolean {
  return draft.added.some(isLarge);
}

/**
 * Gives the points that a draft adds a place. Few of them come into the tail, with the run's document and so together
 * with all else that the change makes; a tail that is full goes into a chunk by then, and is in both should the write
 * fail. Many at once are a chunk of their own, written before the document: then the draft must be fresh.
 *
 * @returns those chunks; one that is new is to be removed should its change be refused after all
 * @throws INVALID_ARGUMENT, before anything is written, when the run's document would be too large
 */
export async function addToHistory(
  draft: RunDraft,
  store: MetadataStore,
  pace: Pace,
): Promise<readonly OwnChunk[]> {
  const { runId } = draft.info;
  const added = newToTail(draft.tail, draft.added.filter((points) => !isLarge(points)).flat());
  const hasEnded = draft.isChanged && draft.info.endTime !== undefined;
  const isFull = draft.tail.length + added.length > (hasEnded ? tailPointsAtEnd : tailPoints);
  const willFlush = isFull && draft.tail.length > 0;
  if ((willFlush || hasLargeAddition(draft)) && draft.weight > heavyWeight) checkBody(draft.toBody());
  const chunks: OwnChunk[] = [];
  for (const points of draft.added.filter(isLarge)) chunks.push(await writeOwnChunk(store, runId, points));
  if (willFlush) {
    const count = await addToChunk(store, pace, runId, draft.open, draft.tail.map(fromTailPoint));
    draft.tail = [];
    // The next tail would make it too large.
    if (count > chunkPoints - tailPoints) draft.open += 1;
    draft.isChanged = true;
  }
  if (added.length > 0) {
    draft.tail = [...draft.tail, ...added];
    draft.isChanged = true;
  }
  return chunks;
}

export interface OwnChunk {
  readonly id: string;
  readonly isNew: boolean;
}

function isLarge(points: readonly Metric[]): boolean {
  return points.length >= ownChunkPoints;
}

function newToTail(tail: readonly TailPoint[], points: readonly Metric[]): readonly TailPoint[] {
  if (points.length === 0) return [];
  const known = new Set<string>();
  const [only] = points;
  // A text for each point of the tail is dear where there is but one to compare with.
  if (points.length === 1 && tail.every((point) => point[1] !== only!.timestamp)) return [toTailPoint(only!)];
  for (const point of tail) known.add(identityOf(fromTailPoint(point)));
  const more: TailPoint[] = [];
  for (const point of points) {
    const identity = identityOf(point);
    if (known.has(identity)) continue;
    known.add(identity);
    more.push(toTailPoint(point));
  }
  return more;
}
