import { Aliases } from './aliases.ts';
import { Approvals } from './approvals.ts';
import { ModelDocuments, type RegistryDeps } from './model-documents.ts';
import { Models } from './models.ts';
import { Stages } from './stages.ts';
import { ModelVersions } from './versions.ts';

/**
 * The services of the model registry. A model, its versions and aliases share one partition, so that registering and
 * promoting are atomic, each with its event.
 */
export interface Registry {
  readonly models: Models;
  readonly versions: ModelVersions;
  readonly stages: Stages;
  readonly aliases: Aliases;
  readonly approvals: Approvals;
}

export function createRegistry(deps: RegistryDeps): Registry {
  const documents = new ModelDocuments(deps);
  const models = new Models(documents);
  return {
    models,
    versions: new ModelVersions(documents, models),
    stages: new Stages(documents),
    aliases: new Aliases(documents),
    approvals: new Approvals(documents),
  };
}
