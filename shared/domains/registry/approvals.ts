import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import type { JsonObject } from '../../core/json/json.ts';
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
import { registryErrors } from './errors.ts';
import type { ModelDocuments } from './model-documents.ts';

/** Approval policies of models, and the decisions about their versions. */
export class Approvals {
  readonly #documents: ModelDocuments;

  constructor(documents: ModelDocuments) {
    this.#documents = documents;
  }

  /** @param policy null removes the policy. @throws NOT_FOUND */
  async setPolicy(model: string, policy: ApprovalPolicy | null, by: string): Promise<Model> {
    return this.#documents.changeExisting(model, async (head) => {
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
      await this.#documents.commit(model, [replaceHead(head, body)], [entry]);
      return toModel(body);
    });
  }

  /**
   * Records a decision about a version; the newest counts. Idempotent for one person.
   *
   * @throws NOT_FOUND; PERMISSION_DENIED when the policy forbids approving one's own version
   */
  async decide(
    model: string,
    version: number,
    { decision, reason }: Pick<Approval, 'decision' | 'reason'>,
    by: string,
  ): Promise<Approval> {
    return this.#documents.changeExisting(model, async (head) => {
      const stored = await this.#documents.findVersion(model, version);
      if (stored === undefined) throw registryErrors.versionMissing({ model, version });
      const { createdBy, approval: last } = stored.body.detail;
      if (last?.decision === decision && last.reason === reason && last.by === by) return last;
      if (
        decision === 'approve' &&
        head.body.detail.approvalPolicy?.distinctApprover === true &&
        createdBy === by
      )
        throw registryErrors.selfApproval({ model, version, by });
      const at = this.#documents.clock.now();
      const approval: Approval = {
        approvalId: `${String(at).padStart(15, '0')}-${this.#documents.ids.uuid()}`,
        version,
        decision,
        reason,
        by,
        at,
      };
      const body: ApprovalBody = { kind: 'approval', approval };
      await this.#documents.commit(
        model,
        [
          // Makes a concurrent move of an alias retry, and see the decision.
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

  /** Lists decisions, newest first. @throws NOT_FOUND */
  async list(model: string, version: number, page: PageRequest): Promise<Page<Approval>> {
    await this.#documents.getVersion(model, version);
    const found = await this.#documents.store.list<ApprovalBody & JsonObject>({
      container,
      partition: model,
      filter: {
        op: 'and',
        filters: [
          { op: 'compare', test: 'eq', path: ['kind'], value: 'approval' },
          { op: 'compare', test: 'eq', path: ['approval', 'version'], value: version },
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
 * @throws PERMISSION_DENIED when the version lacks an approval that the policy requires
 */
export function checkApproved(head: HeadBody, version: ModelVersion, target: string): void {
  const { approvalPolicy: policy } = head.detail;
  if (policy === undefined || !policy.aliases.includes(target)) return;
  const { approval } = version;
  const refuse = (why: string) =>
    registryErrors.approvalNeeded({
      model: version.model,
      version: version.version,
      alias: target,
      why,
      awaiting: 'approval',
    });
  if (approval === undefined) throw refuse('has no approval yet');
  if (approval.decision === 'reject') throw refuse(`was rejected by ${approval.by}`);
  if (policy.distinctApprover && approval.by === version.createdBy)
    throw refuse('was approved only by the person who registered it');
}
