import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import { AppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { type Page, type PageRequest, toPage } from '../../platform/storage/page.ts';
import {
  type ApprovalBody,
  approvalDocumentId,
  asJson,
  container,
  type HeadBody,
  replaceHead,
  replaceVersion,
  toModel,
} from './documents.ts';
import type { Approval, ApprovalPolicy, Model, ModelVersion } from './entities.ts';
import { type Partitions, refuseUnknownVersion } from './partitions.ts';

/** Who may let a version into production, and who did. */
export class Approvals {
  readonly #partitions: Partitions;

  constructor(partitions: Partitions) {
    this.#partitions = partitions;
  }

  /** @param policy null: no alias needs an approval any more. @throws NOT_FOUND */
  async setPolicy(model: string, policy: ApprovalPolicy | null, by: string): Promise<Model> {
    return this.#partitions.changeExisting(model, async (head) => {
      const { approvalPolicy, ...rest } = head.body.detail;
      const body: HeadBody = {
        ...head.body,
        detail: policy === null ? rest : { ...rest, approvalPolicy: policy },
      };
      if (JSON.stringify(approvalPolicy ?? null) === JSON.stringify(policy)) return toModel(head.body);
      const entry: AuditEntry = {
        by,
        action: registryActions.modelPolicyChanged,
        subject: { kind: 'model', model },
        before: { approvalPolicy: approvalPolicy ?? null },
        after: { approvalPolicy: policy },
      };
      await this.#partitions.commit(model, [replaceHead(head, body)], [entry]);
      return toModel(body);
    });
  }

  /**
   * Records a decision about a version; the newest counts. The same again, by the same person, is the same.
   *
   * @throws NOT_FOUND; PERMISSION_DENIED when the policy asks for another approver than who registered it
   */
  async decide(
    model: string,
    version: number,
    { decision, reason }: Pick<Approval, 'decision' | 'reason'>,
    by: string,
  ): Promise<Approval> {
    return this.#partitions.changeExisting(model, async (head) => {
      const stored = await this.#partitions.findVersion(model, version);
      if (stored === undefined) return refuseUnknownVersion(model, version);
      const { createdBy, approval: last } = stored.body.detail;
      if (last?.decision === decision && last.reason === reason && last.by === by) return last;
      if (
        decision === 'approve' &&
        head.body.detail.approvalPolicy?.distinctApprover === true &&
        createdBy === by
      )
        throw new AppError(
          'PERMISSION_DENIED',
          `${by} registered version ${version} of "${model}" and cannot approve it: ask somebody else with the role "operator".`,
          { model, version },
        );
      const at = this.#partitions.pace.clock.now();
      const approval: Approval = {
        approvalId: `${String(at).padStart(15, '0')}-${this.#partitions.pace.ids.uuid()}`,
        version,
        decision,
        reason,
        by,
        at,
      };
      const body: ApprovalBody = { kind: 'approval', approval };
      await this.#partitions.commit(
        model,
        [
          // Whoever moves an alias at the same time begins anew, and sees the decision.
          replaceHead(head, head.body),
          replaceVersion(stored, { ...stored.body, detail: { ...stored.body.detail, approval } }),
          { kind: 'create', id: approvalDocumentId(approval.approvalId), body: asJson(body) },
        ],
        [
          {
            by,
            action:
              decision === 'approve' ? registryActions.versionApproved : registryActions.versionRejected,
            subject: { kind: 'modelVersion', model, version },
            before: last === undefined ? null : { decision: last.decision },
            after: { decision, reason },
          },
        ],
      );
      return approval;
    });
  }

  /** Newest first. @throws NOT_FOUND */
  async list(model: string, version: number, page: PageRequest): Promise<Page<Approval>> {
    await this.#partitions.getVersion(model, version);
    const found = await this.#partitions.store.list<ApprovalBody & JsonObject>({
      container,
      partition: model,
      filter: {
        op: 'and',
        filters: [
          { op: 'eq', path: ['kind'], value: 'approval' },
          { op: 'eq', path: ['approval', 'version'], value: version },
        ],
      },
      sort: { path: ['approval', 'approvalId'], direction: 'desc' },
      ...page,
    });
    return toPage(found, (body) => body.approval);
  }
}

/**
 * @param target an alias, or a stage in lower case
 * @throws PERMISSION_DENIED when the policy asks for an approval that the version has not, naming the remedy
 */
export function checkApproved(head: HeadBody, version: ModelVersion, target: string): void {
  const { approvalPolicy: policy } = head.detail;
  if (policy === undefined || !policy.aliases.includes(target)) return;
  const { approval } = version;
  const path = `api/v1/models/${encodeURIComponent(version.model)}/versions/${version.version}/approvals`;
  const refuse = (why: string) =>
    new AppError(
      'PERMISSION_DENIED',
      `"${target}" of "${version.model}" moves to approved versions only, and version ${version.version} ${why}. An operator can approve it: POST ${path} {"decision":"approve","reason":"…"}.`,
      { model: version.model, version: version.version, alias: target, awaiting: 'approval' },
    );
  if (approval === undefined) throw refuse('has no approval yet');
  if (approval.decision === 'reject') throw refuse(`was rejected by ${approval.by}`);
  if (policy.distinctApprover && approval.by === version.createdBy)
    throw refuse('was approved only by who registered it');
}
