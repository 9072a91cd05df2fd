import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import type { ExperimentService } from '../tracking/experiments/service.ts';
import type { Locator } from '../tracking/locator.ts';

/** What retention reads and writes. */
export interface RetentionDeps {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly artifacts: ArtifactStore;
  readonly experiments: Pick<ExperimentService, 'readStages' | 'purge'>;
  readonly locator: Pick<Locator, 'findRun' | 'findLoggedModel'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long deleted objects can be restored. */
  readonly graceMs: number;
}
