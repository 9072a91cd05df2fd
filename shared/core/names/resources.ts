/** The names that code and infrastructure share. */

/** Document containers by domain, partitioned by what changes together. */
export const metadataContainers = {
  datasets: 'datasets',
  pipelines: 'pipelines',
  /** Models, their versions and aliases; partitioned by model. */
  registry: 'registry',
  /** Experiments with their runs and logged models, partitioned by experiment; metric history, by run. */
  tracking: 'tracking',
  /**
   * Immutable pointers from an identifier to its partition: logged model → experiment, name → id, and run → experiment
   * unless the run's id contains it.
   */
  index: 'index',
  /** Webhooks, one per partition. */
  webhooks: 'webhooks',
} as const;

export const blobContainers = {
  /** Where users drop files: `landing/<dataset>/<file>`. */
  landing: 'landing',
  /** Dataset versions, content-addressed. */
  datasets: 'datasets',
  /** Files that ingestion rejected, with the reason. */
  quarantine: 'quarantine',
  /** Model files, content-addressed. */
  models: 'models',
  /** Artifacts of runs and logged models: `<experiment>/<run>/artifacts/…`, `<experiment>/models/<id>/artifacts/…`. */
  artifacts: 'artifacts',
} as const;

export const queues = {
  /** BlobCreated events of the landing container (Event Grid delivers them here in Azure). */
  landing: 'landing',
  /** Pipeline runs to start or cancel, for the function with the Durable client. */
  runs: 'runs',
  /** One message per pending delivery to a webhook. */
  webhooks: 'webhooks',
  /** Messages that a retry cannot help, each with its reason, for an operator to inspect. */
  refused: 'refused',
} as const;

export const topics = {
  /** Events: `dataset.version.created`, `model.deployed`… */
  events: 'events',
} as const;

export const subscriptions = {
  /** Starts the pipelines that an event triggers. */
  pipelines: { topic: topics.events, name: 'pipelines' },
  /** Queues deliveries to the webhooks that subscribe to an event. */
  webhooks: { topic: topics.events, name: 'webhooks' },
} as const;
