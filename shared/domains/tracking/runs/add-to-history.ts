import type { Clock } from '../../../core/clock.ts';
import type { Ids } from '../../../core/ids.ts';
import type { MetadataStore } from '../../../platform/storage/documents.ts';
import { checkBody } from '../../../platform/storage/document-rules.ts';
import type { TailPoint } from '../documents.ts';
import type { Metric } from '../entities.ts';
import { addToChunk, chunkPoints, ownChunkPoints, writeOwnChunk } from '../metrics/chunks.ts';
import { fromTailPoint, identityOf, toTailPoint } from '../metrics/points.ts';
import type { RunDraft } from './draft.ts';

/** Points kept in the run's document, where adding one costs no extra write. */
const tailPoints = 64;
/** Points that an ended run keeps there: fewer are not worth a chunk. */
const tailPointsAtEnd = 16;
/** From this weight on, the document's size is checked before a chunk is written. */
const heavyWeight = 1_000_000;

/** Whether a change adds enough points for a separate chunk. */
export function hasLargeAddition(draft: RunDraft): boolean {
  return draft.added.some(isLarge);
}

/**
 * Stores the points that a draft adds. Few points go to the tail, and so into the run's document atomically with the
 * rest of the change; a full tail is first copied to a chunk. Many points at once get a chunk of their own, written
 * before the document: the draft must be fresh then.
 *
 * @returns the chunks of their own; the caller deletes the new ones if the change is refused later
 * @throws INVALID_ARGUMENT, before anything is written, when the run's document would be too large
 */
export async function addToHistory(
  draft: RunDraft,
  store: MetadataStore,
  deps: { readonly clock: Clock; readonly ids: Ids },
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
    const count = await addToChunk(store, deps, runId, draft.open, draft.tail.map(fromTailPoint));
    draft.tail = [];
    // No room for another tail.
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
  // Skips building an identity for each point of the tail.
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
