import type { Action } from '../../../formats/delta/log/actions.ts';

/** The table's transaction that holds the last version that replaced all rows. */
export const replacedAppId = 'slipway:replaced';

/** Records that a version replaces all rows, so that content appended before it can be appended again. */
export function planReplaced(version: number, now: number): Action {
  return { kind: 'txn', transaction: { appId: replacedAppId, version, lastUpdated: now } };
}
