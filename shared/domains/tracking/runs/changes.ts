import { mlflowTags } from '../../../core/names/mlflow-names.ts';
import type { Metric, RunStatus, Tag } from '../entities.ts';
import { trackingErrors } from '../errors.ts';
import type { RunDraft } from './draft.ts';

/*
 * The changes of a run. Each is idempotent, and refuses before it changes anything.
 */

/** Set on a run that became KILLED because it was silent: when that was, in ISO 8601. */
export const lostAtTag = 'slipway.lostAt';

/** @throws INVALID_ARGUMENT when the run is deleted */
export function checkActive({ info: { runId, lifecycleStage } }: RunDraft): void {
  if (lifecycleStage !== 'active') throw trackingErrors.runDeleted({ runId });
}

/** Sets tags; the last value of a key counts. */
export function setTags(draft: RunDraft, tags: readonly Tag[], by: string): void {
  const before = new Map<string, string | null>();
  const after = new Map<string, string>();
  for (const { key, value } of new Map(tags.map((tag) => [tag.key, tag])).values()) {
    const known = draft.tags.get(key);
    if (known === value) continue;
    before.set(key, known ?? null);
    after.set(key, value);
    draft.tags.set(key, value);
    draft.isChanged = true;
    if (key === mlflowTags.runName && value !== '') draft.set('name', value);
  }
  if (after.size === 0) return;
  draft.record(by, 'run.tags.set', Object.fromEntries(before), Object.fromEntries(after));
}

/** @throws NOT_FOUND */
export function deleteTag(draft: RunDraft, key: string, by: string): void {
  const value = draft.tags.get(key);
  if (value === undefined) throw trackingErrors.runTagMissing({ runId: draft.info.runId, key });
  draft.tags.delete(key);
  draft.isChanged = true;
  draft.record(by, 'run.tags.deleted', Object.fromEntries([[key, value]]), null);
}

/** @throws INVALID_ARGUMENT when a param has another value: params never change */
export function checkParams(draft: RunDraft, params: readonly Tag[]): void {
  const { runId } = draft.info;
  const changes = params.flatMap(({ key, value }) => {
    const logged = draft.params.get(key) ?? value;
    return logged === value ? [] : [{ key, logged, value }];
  });
  if (changes.length > 0) throw trackingErrors.paramsChanged({ runId, changes, logged: params.length });
}

export function addParams(draft: RunDraft, params: readonly Tag[]): void {
  for (const { key, value } of params) {
    if (draft.params.has(key)) continue;
    draft.params.set(key, value);
    draft.isChanged = true;
  }
}

export function addMetrics(draft: RunDraft, metrics: readonly Metric[]): void {
  if (metrics.length > 0) draft.addPoints(metrics);
}

export interface RunUpdate {
  readonly status?: RunStatus | undefined;
  readonly endTime?: number | undefined;
  readonly name?: string | undefined;
}

export function updateInfo(draft: RunDraft, { status, endTime, name }: RunUpdate, by: string): void {
  const before = membersOf(draft);
  if (status !== undefined) {
    draft.set('status', status);
    // The client is alive.
    removeTag(draft, lostAtTag);
  }
  if (endTime !== undefined) draft.set('endTime', endTime);
  if (name) {
    if (draft.set('name', name)) setTag(draft, mlflowTags.runName, name);
    // Only the tag was deleted: setting it again is a change of tags.
    else setTags(draft, [{ key: mlflowTags.runName, value: name }], by);
  }
  const after = membersOf(draft);
  const changed = [...after.keys()].filter((member) => before.get(member) !== after.get(member));
  if (changed.length === 0) return;
  const pick = (members: typeof after) =>
    Object.fromEntries(changed.map((member) => [member, members.get(member) ?? null]));
  draft.record(by, 'run.updated', pick(before), pick(after));
}

/** The members that an update can change. */
function membersOf({ info, tags }: RunDraft): ReadonlyMap<string, string | number | null> {
  return new Map<string, string | number | null>([
    ['status', info.status],
    ['endTime', info.endTime ?? null],
    ['name', info.name],
    ['lostAt', tags.get(lostAtTag) ?? null],
  ]);
}

/** Sets a run that was killed for its silence to RUNNING again. */
export function revive(draft: RunDraft, by: string): void {
  const lostAt = draft.tags.get(lostAtTag);
  if (lostAt === undefined || draft.info.status !== 'KILLED') return;
  const { status, endTime } = draft.info;
  draft.set('status', 'RUNNING');
  draft.set('endTime', undefined);
  removeTag(draft, lostAtTag);
  draft.record(by, 'run.revived', { status, endTime: endTime ?? null, lostAt }, { status: 'RUNNING' });
}

/** Marks a run KILLED when it has been silent since `silentSince`. @returns whether it did */
export function killIfSilent(draft: RunDraft, silentSince: number, now: number): boolean {
  const { info } = draft;
  if (info.status !== 'RUNNING' || info.lifecycleStage !== 'active' || info.lastWriteAt > silentSince)
    return false;
  draft.set('status', 'KILLED');
  // Its last sign of life, but never before its start.
  draft.set('endTime', Math.max(info.lastWriteAt, info.startTime));
  setTag(draft, lostAtTag, new Date(now).toISOString());
  draft.record(
    'platform',
    'run.lost',
    { status: 'RUNNING' },
    { status: 'KILLED', lastWriteAt: info.lastWriteAt },
  );
  return true;
}

export function deleteRun(draft: RunDraft, by: string, now: number): void {
  if (!draft.set('lifecycleStage', 'deleted')) return;
  draft.set('deletedAt', now);
  draft.record(by, 'run.deleted', { lifecycleStage: 'active' }, { lifecycleStage: 'deleted' });
}

export function restoreRun(draft: RunDraft, by: string): void {
  if (!draft.set('lifecycleStage', 'active')) return;
  draft.set('deletedAt', undefined);
  draft.record(by, 'run.restored', { lifecycleStage: 'deleted' }, { lifecycleStage: 'active' });
}

function setTag(draft: RunDraft, key: string, value: string): boolean {
  if (draft.tags.get(key) === value) return false;
  draft.tags.set(key, value);
  draft.isChanged = true;
  return true;
}

function removeTag(draft: RunDraft, key: string): boolean {
  if (!draft.tags.delete(key)) return false;
  draft.isChanged = true;
  return true;
}
