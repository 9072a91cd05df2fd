/** Every name that code and infrastructure must agree on, in one place. */

/** Documents, by domain; partitioned by what changes together. */
export const metadataContainers = {
  datasets: 'datasets',
  pipelines: 'pipelines',
  /** Models, their versions and aliases; partitioned by model. */
  registry: 'registry',
  /** Experiments with their runs and logged models, partitioned by experiment; metric history, by run. */
  tracking: 'tracking',
  /** Immutable pointers from what callers know to the partition it is in: run → experiment, name → id. */
  index: 'index',
  /** Webhooks, each in a partition of its own. */
  webhooks: 'webhooks',
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
  /** What runs and logged models keep: `<experiment>/<run>/artifacts/…`, `<experiment>/models/<id>/artifacts/…`. */
  artifacts: 'artifacts',
} as const;

export const queues = {
  /** BlobCreated events of the landing container (Event Grid delivers them here in Azure). */
  landing: 'landing',
  /** Pipeline runs to start and to cancel, for the one function that has the Durable client. */
  runs: 'runs',
  /** One message per delivery that a webhook is owed. */
  webhooks: 'webhooks',
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
  /** Finds the webhooks that an event is for. */
  webhooks: { topic: topics.events, name: 'webhooks' },
} as const;
