import { AppError } from '../../../core/errors.ts';
import type { Metric, RunStatus, Tag } from '../entities.ts';
import type { RunDraft } from './draft.ts';

/*
 * What can be done to a run. Each refuses before it changes anything, and done twice has the effect of once.
 */

export const runNameTag = 'mlflow.runName';
/** Set on a run that was given up because nothing was heard of it: when that was, in ISO 8601. */
export const lostAtTag = 'slipway.lostAt';

/** @throws INVALID_ARGUMENT when the run is deleted */
export function checkActive({ info }: RunDraft): void {
  if (info.lifecycleStage !== 'active') throw notActive(info.runId);
}

export function notActive(runId: string): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    `The run ${runId} must be in the 'active' state. Current state is deleted.`,
    { runId },
  );
}

/** The last value of a key counts. */
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
    if (key === runNameTag && value !== '') draft.set('name', value);
  }
  if (after.size === 0) return;
  draft.record(by, 'run.tags.set', Object.fromEntries(before), Object.fromEntries(after));
}

/** @throws NOT_FOUND when it is not there */
export function deleteTag(draft: RunDraft, key: string, by: string): void {
  const value = draft.tags.get(key);
  if (value === undefined)
    throw new AppError('NOT_FOUND', `No tag with name: ${key} in run with id ${draft.info.runId}`, { key });
  draft.tags.delete(key);
  draft.isChanged = true;
  draft.record(by, 'run.tags.deleted', Object.fromEntries([[key, value]]), null);
}

/** @throws INVALID_ARGUMENT when one is there with another value: params are what a run was started with */
export function checkParams(draft: RunDraft, params: readonly Tag[]): void {
  const { runId } = draft.info;
  const conflicts = params.filter(({ key, value }) => (draft.params.get(key) ?? value) !== value);
  if (conflicts.length === 0) return;
  const [first] = conflicts;
  const { key, value } = first!;
  const message =
    params.length === 1
      ? `Param with key='${key}' was already logged with value='${draft.params.get(key)}' for run ID='${runId}'. Attempted logging new value '${value}'.`
      : `Params were already logged='[${conflicts
          .map(
            (param) =>
              `{'key': '${param.key}', 'old_value': '${draft.params.get(param.key)}', 'new_value': '${param.value}'}`,
          )
          .join(', ')}]' for run ID='${runId}'.`;
  throw new AppError('INVALID_ARGUMENT', `Changing param values is not allowed. ${message}`, { key });
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
    // Somebody who knows has spoken.
    removeTag(draft, lostAtTag);
  }
  if (endTime !== undefined) draft.set('endTime', endTime);
  if (name) {
    if (draft.set('name', name)) setTag(draft, runNameTag, name);
    // The tag by itself can have been deleted: that it is back is told as of any tag.
    else setTags(draft, [{ key: runNameTag, value: name }], by);
  }
  const after = membersOf(draft);
  const changed = [...after.keys()].filter((member) => before.get(member) !== after.get(member));
  if (changed.length === 0) return;
  const pick = (members: typeof after) =>
    Object.fromEntries(changed.map((member) => [member, members.get(member) ?? null]));
  draft.record(by, 'run.updated', pick(before), pick(after));
}

/** What an update can change. */
function membersOf({ info, tags }: RunDraft): ReadonlyMap<string, string | number | null> {
  return new Map<string, string | number | null>([
    ['status', info.status],
    ['endTime', info.endTime ?? null],
    ['name', info.name],
    ['lostAt', tags.get(lostAtTag) ?? null],
  ]);
}

/** A run that was given up and is heard of again goes on. */
export function revive(draft: RunDraft, by: string): void {
  const lostAt = draft.tags.get(lostAtTag);
  if (lostAt === undefined || draft.info.status !== 'KILLED') return;
  const { status, endTime } = draft.info;
  draft.set('status', 'RUNNING');
  draft.set('endTime', undefined);
  removeTag(draft, lostAtTag);
  draft.record(by, 'run.revived', { status, endTime: endTime ?? null, lostAt }, { status: 'RUNNING' });
}

/** Gives a run up that nothing was heard of since a time, if that is still so. @returns whether it did */
export function giveUp(draft: RunDraft, silentSince: number, now: number): boolean {
  const { info } = draft;
  if (info.status !== 'RUNNING' || info.lifecycleStage !== 'active' || info.lastWriteAt > silentSince)
    return false;
  draft.set('status', 'KILLED');
  // The last that is known of it, and never before it began.
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
