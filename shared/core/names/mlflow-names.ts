/*
 * MLflow's names in stored data: its URI scheme and reserved tags, which its clients and UI read. The protocol is in
 * shared/api/mlflow; no other file contains names of MLflow.
 */

/** Scheme of artifact URIs. Clients resolve it against the tracking server's address. */
export const artifactScheme = 'mlflow-artifacts';

/** The path of the artifact routes; clients store URIs that contain it. */
export const artifactHttpPath = `/api/2.0/${artifactScheme}/artifacts`;

/** Reserved tags, with their readers and writers. */
export const mlflowTags = {
  /** Pages show it as the run's name; clients set it in place of the name. */
  runName: 'mlflow.runName',
  /** Pages nest a run below this one; clients set it on child runs. */
  parentRunId: 'mlflow.parentRunId',
  /** Pages show who started a run. */
  user: 'mlflow.user',
  /** Pages show what executed a run: its kind, and its name. */
  sourceType: 'mlflow.source.type',
  sourceName: 'mlflow.source.name',
  /** Clients set it on runs of code under git. */
  gitCommit: 'mlflow.source.git.commit',
  /** On a dataset input, what it was used for; clients filter by it. */
  dataContext: 'mlflow.data.context',
  /** On a run, the models it logged, as JSON: clients before MLflow 3 read and write it. */
  modelHistory: 'mlflow.log-model.history',
  /** On a logged model, the versions registered from it, as JSON: pages link them. */
  modelVersions: 'mlflow.modelVersions',
  /** Marks a registered model as a prompt; its text is in a tag of each version. */
  isPrompt: 'mlflow.prompt.is_prompt',
  promptText: 'mlflow.prompt.text',
  /** On versions of prompts: clients set the kind of its text. */
  promptType: '_mlflow_prompt_type',
} as const;

/** Sources that clients send for versions of prompts, which have no files. */
export const promptSources: ReadonlySet<string> = new Set(['dummy-source', 'prompt-template']);
