import { toJsonNumber } from '../../../core/json/json-number.ts';
import type { AuditEntry } from '../../../platform/audit/event.ts';
import type { JsonValue } from '../../../core/json/json.ts';
import { mlflowTags } from '../../../core/names/mlflow-names.ts';
import { type LatestPoint, type RunBody, type TailPoint } from '../documents.ts';
import type { DatasetInput, Metric, MetricPoint, RunInfo, RunLinks } from '../entities.ts';
import { compareForLatest } from '../metrics/points.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * A run being changed. `RunWriter` passes it to a change, which either throws and leaves it untouched, or makes its
 * whole change and records an event if that is a change of state. After a lost race the same change runs again on a
 * newer draft, so it must depend on nothing but the draft.
 */
export class RunDraft {
  readonly info: Mutable<RunInfo>;
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
  readonly latest: Map<string, MetricPoint>;
  links: RunLinks;
  /** The newest points of the history, not yet in a chunk. */
  tail: readonly TailPoint[];
  /** The number of the chunk that takes the tail. */
  open: number;

  /** Points to add to the history: one list for each change. */
  readonly added: Metric[][] = [];
  readonly entries: AuditEntry[] = [];
  /** Whether there is anything to write. */
  isChanged = false;
  #datasets: { readonly of: readonly DatasetInput[]; readonly body: RunBody['datasets'] } | undefined;

  constructor(body: RunBody) {
    const { points } = body;
    this.info = { ...body.run, lastWriteAt: points.lastWriteAt };
    this.params = new Map(Object.entries(body.params));
    this.tags = new Map(Object.entries(body.tags));
    this.latest = new Map();
    for (const [key, [timestamp, step, special]] of Object.entries(points.latest)) {
      const value = special === undefined ? body.metrics[key]! : Number(special);
      this.latest.set(key, { timestamp, step, value });
    }
    this.tail = points.tail;
    this.open = points.open;
    const { datasetInputs, modelInputs, modelOutputs } = points;
    this.links = { datasetInputs, modelInputs, modelOutputs };
  }

  /** @returns whether the value changed */
  set<K extends keyof RunInfo>(member: K, value: RunInfo[K] | undefined): boolean {
    if (this.info[member] === value) return false;
    if (value === undefined) delete this.info[member];
    else this.info[member] = value;
    this.isChanged = true;
    return true;
  }

  addPoints(points: readonly Metric[]): void {
    for (const { key, timestamp, step, value } of points) {
      const known = this.latest.get(key);
      const point = { timestamp, step, value };
      if (known === undefined || compareForLatest(point, known) > 0) {
        this.latest.set(key, point);
        this.isChanged = true;
      }
    }
    this.added.push([...points]);
  }

  setLinks(links: RunLinks): void {
    this.links = links;
    this.isChanged = true;
  }

  /** Adds an event to the write. */
  record(by: string, action: string, before: JsonValue, after: JsonValue): void {
    const { experimentId, runId } = this.info;
    this.entries.push({ by, action, subject: { kind: 'run', experimentId, runId }, before, after });
  }

  /** Clears what a successful write has taken. */
  settle(): void {
    this.added.length = 0;
    this.entries.length = 0;
    this.isChanged = false;
  }

  /** Approximate length as JSON, in characters. */
  get weight(): number {
    let weight = 500 + this.tail.length * 60 + this.latest.size * 60;
    for (const [key, value] of this.params) weight += key.length + value.length + 8;
    for (const [key, value] of this.tags) weight += key.length + value.length + 8;
    for (const key of this.latest.keys()) weight += 2 * key.length;
    for (const { dataset } of this.links.datasetInputs)
      weight += 200 + dataset.source.length + (dataset.schema?.length ?? 0) + (dataset.profile?.length ?? 0);
    return weight + 60 * (this.links.modelInputs.length + this.links.modelOutputs.length);
  }

  toBody(): RunBody {
    const { lastWriteAt, ...run } = this.info;
    const metrics: [string, number][] = [];
    const nan: [string, true][] = [];
    const latest: [string, LatestPoint][] = [];
    for (const [key, { timestamp, step, value }] of this.latest) {
      const json = toJsonNumber(value);
      latest.push([key, typeof json === 'number' ? [timestamp, step] : [timestamp, step, json]]);
      if (Number.isNaN(value)) nan.push([key, true]);
      else metrics.push([key, Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value))]);
    }
    const isRunning = run.status === 'RUNNING' && run.lifecycleStage === 'active';
    return {
      kind: 'run',
      run,
      ...(isRunning ? { running: { lastWriteAt } } : {}),
      params: Object.fromEntries(this.params),
      tags: Object.fromEntries(this.tags),
      metrics: Object.fromEntries(metrics),
      nan: Object.fromEntries(nan),
      datasets: this.#toDatasets(),
      ...toMentions(this.links),
      points: {
        lastWriteAt,
        latest: Object.fromEntries(latest),
        tail: this.tail,
        open: this.open,
        ...this.links,
      },
    } as RunBody;
  }

  #toDatasets(): RunBody['datasets'] {
    const { datasetInputs } = this.links;
    if (this.#datasets?.of !== datasetInputs)
      this.#datasets = {
        of: datasetInputs,
        body: {
          name: toNames(datasetInputs.map(({ dataset }) => dataset.name)),
          digest: toNames(datasetInputs.map(({ dataset }) => dataset.digest)),
          context: toNames(
            datasetInputs.flatMap(({ tags }) =>
              tags.filter((tag) => tag.key === mlflowTags.dataContext).map((tag) => tag.value),
            ),
          ),
        },
      };
    return this.#datasets.body;
  }
}

const maxMentions = 1_000;

/** Ids of runs and logged models among its inputs: as models, or within the sources of datasets. */
function toMentions({ modelInputs, datasetInputs }: RunLinks): Pick<RunBody, 'mentions'> {
  const ids = [
    ...modelInputs.map(({ modelId }) => modelId),
    ...datasetInputs.flatMap(({ dataset }) => dataset.source.match(/(?:\bm-)?\b[0-9a-f]{32}\b/g) ?? []),
  ];
  return ids.length === 0 ? {} : { mentions: toNames([...new Set(ids)].slice(0, maxMentions)) };
}

function toNames(names: readonly string[]): { readonly [name: string]: true } {
  return Object.fromEntries(names.map((name) => [name, true]));
}

/** Creates the document of a new run. */
export function createRunBody(
  info: RunInfo,
  tags: ReadonlyMap<string, string>,
): { readonly body: RunBody; readonly draft: RunDraft } {
  const { lastWriteAt, ...run } = info;
  const draft = new RunDraft({
    kind: 'run',
    run,
    params: {},
    tags: Object.fromEntries(tags),
    metrics: {},
    nan: {},
    datasets: { name: {}, digest: {}, context: {} },
    points: {
      lastWriteAt,
      latest: {},
      tail: [],
      open: 0,
      datasetInputs: [],
      modelInputs: [],
      modelOutputs: [],
    },
  });
  return { body: draft.toBody(), draft };
}
