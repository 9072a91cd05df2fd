/**
 * The events of registered models: written by the registry, read by the timeline and webhooks. `before` and `after` hold
 * only the members that changed:
 *
 * | action | subject | before | after |
 * |---|---|---|---|
 * | model.created | model | null | `{ description, tags: { key: value } }` |
 * | model.updated | model | `{ description }` | `{ description }` |
 * | model.renamed | model: one event under the old name, one under the new | `{ name }` | `{ name }` |
 * | model.tagSet, model.tagDeleted | model | `{ tags: { key: value or null } }` | the same |
 * | model.policyChanged | model | `{ approvalPolicy }`, null without one | the same |
 * | model.deleted | model | `{ description, tags, latestVersion }` | null |
 * | modelVersion.created | modelVersion | null | `{ source, runId, description, tags, stage }`, a missing `runId` as null |
 * | modelVersion.updated | modelVersion | `{ description }` | `{ description }` |
 * | modelVersion.stageChanged | modelVersion | `{ stage }` | `{ stage }`, as `None`, `Staging`, `Production`, `Archived` |
 * | modelVersion.tagSet, modelVersion.tagDeleted | modelVersion | `{ tags: { key: value or null } }` | the same |
 * | modelVersion.approved, modelVersion.rejected | modelVersion | null or `{ decision }` | `{ decision, reason }` |
 * | modelVersion.deleted | modelVersion | `{ source, runId, stage, tags }` | null |
 * | alias.moved | alias | null or `{ version }` | `{ version }` |
 * | alias.deleted | alias | `{ version }` | null |
 *
 * A compound change has an event for each step: deleting a version also writes an `alias.deleted` for each alias,
 * archiving the other versions of a stage a `modelVersion.stageChanged` for each.
 */
export const registryActions = {
  modelCreated: 'model.created',
  modelUpdated: 'model.updated',
  modelRenamed: 'model.renamed',
  modelTagSet: 'model.tagSet',
  modelTagDeleted: 'model.tagDeleted',
  modelPolicyChanged: 'model.policyChanged',
  modelDeleted: 'model.deleted',
  versionCreated: 'modelVersion.created',
  versionUpdated: 'modelVersion.updated',
  versionStageChanged: 'modelVersion.stageChanged',
  versionTagSet: 'modelVersion.tagSet',
  versionTagDeleted: 'modelVersion.tagDeleted',
  versionApproved: 'modelVersion.approved',
  versionRejected: 'modelVersion.rejected',
  versionDeleted: 'modelVersion.deleted',
  aliasMoved: 'alias.moved',
  aliasDeleted: 'alias.deleted',
} as const;
