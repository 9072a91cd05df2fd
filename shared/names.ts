/** Every name that code and infrastructure must agree on, in one place. */

/** Documents, by domain; partitioned by what changes together. */
export const metadataContainers = {
  datasets: 'datasets',
  pipelines: 'pipelines',
  registry: 'registry',
} as const;

export const blobContainers = {
  /** Where users drop files: `landing/<dataset>/<file>`. */
  landing: 'landing',
  /** Dataset versions, content-addressed. */
  datasets: 'datasets',
  /** Files that ingestion refused, with the reason. */
  quarantine: 'quarantine',
  /** Model files, content-addressed. */
  models: 'models',
} as const;

export const queues = {
  /** BlobCreated events of the landing container (Event Grid delivers them here in Azure). */
  landing: 'landing',
  /** Messages that no retry can help, each with its reason: for an operator to look at. */
  refused: 'refused',
} as const;

export const topics = {
  /** Everything that happened, as facts: `dataset.version.created`, `model.deployed`… */
  events: 'events',
} as const;

export const subscriptions = {
  /** Starts the pipelines that wait for an event. */
  pipelines: { topic: topics.events, name: 'pipelines' },
} as const;
