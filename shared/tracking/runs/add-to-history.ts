import type { MetadataStore } from '../../storage/documents.ts';
import { checkBody } from '../../storage/document-rules.ts';
import type { Pace } from '../../storage/optimistic.ts';
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

/**
 * Gives the points that a draft adds a place: in the tail, or in chunks. Chunks are written here, before the run's
 * document: should that fail, the points are in both or only in the chunk, and the retry comes out the same.
 *
 * @throws INVALID_ARGUMENT, before anything is written, when the run's document would be too large
 */
export async function addToHistory(draft: RunDraft, store: MetadataStore, pace: Pace): Promise<void> {
  const { runId } = draft.info;
  const large = draft.added.filter((points) => points.length >= ownChunkPoints);
  const small = draft.added.filter((points) => points.length < ownChunkPoints);
  const tail = small.length === 0 ? draft.tail : addToTail(draft.tail, small.flat());
  const hasEnded = draft.isChanged && draft.info.endTime !== undefined;
  const isFull = tail.length > (hasEnded ? tailPointsAtEnd : tailPoints);
  if ((isFull || large.length > 0) && draft.weight > heavyWeight) checkBody(draft.toBody());
  for (const points of large) await writeOwnChunk(store, runId, points);
  if (isFull) {
    const count = await addToChunk(store, pace, runId, draft.open, tail.map(fromTailPoint));
    draft.tail = [];
    // The next tail would make it too large.
    if (count > chunkPoints - tailPoints) draft.open += 1;
    draft.isChanged = true;
  } else if (tail !== draft.tail) {
    draft.tail = tail;
    draft.isChanged = true;
  }
}

/** @returns the very same tail when all of the points are in it already */
function addToTail(tail: readonly TailPoint[], points: readonly Metric[]): readonly TailPoint[] {
  const known = new Set(tail.map((point) => identityOf(fromTailPoint(point))));
  const more: TailPoint[] = [];
  for (const point of points) {
    const identity = identityOf(point);
    if (known.has(identity)) continue;
    known.add(identity);
    more.push(toTailPoint(point));
  }
  return more.length === 0 ? tail : [...tail, ...more];
}
