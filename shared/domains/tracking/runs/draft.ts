import type { AuditEntry } from '../../../platform/audit/event.ts';
import type { JsonValue } from '../../../core/json.ts';
import { type LatestPoint, type RunBody, type TailPoint, toJsonNumber } from '../documents.ts';
import type { DatasetInput, Metric, MetricPoint, RunInfo, RunLinks } from '../entities.ts';
import { compareForLatest } from '../metrics/points.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * A run while it is changed. What `run-writer` passes to a change: the change either throws and leaves it as it was, or
 * makes its whole change and, where that is one of state, records it. The same change may be made again on a newer
 * draft when somebody else was faster, so it must depend on nothing but the draft.
 */
export class RunDraft {
  readonly info: Mutable<RunInfo>;
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
  readonly latest: Map<string, MetricPoint>;
  links: RunLinks;
  /** Points of history that are in no chunk yet. */
  tail: readonly TailPoint[];
  /** The number of the chunk that takes the tail. */
  open: number;

  /** What this write adds to the history: one list for each change. */
  readonly added: Metric[][] = [];
  readonly entries: AuditEntry[] = [];
  /** Set by whatever changes anything. */
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

  /** @returns whether that changed anything */
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

  /** Tells of a change of state, in the same write. */
  record(by: string, action: string, before: JsonValue, after: JsonValue): void {
    const { experimentId, runId } = this.info;
    this.entries.push({ by, action, subject: { kind: 'run', experimentId, runId }, before, after });
  }

  /** Forgets what was handed over to a write that succeeded. */
  settle(): void {
    this.added.length = 0;
    this.entries.length = 0;
    this.isChanged = false;
  }

  /** About how many characters it takes as JSON. */
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
              tags.filter((tag) => tag.key === contextTag).map((tag) => tag.value),
            ),
          ),
        },
      };
    return this.#datasets.body;
  }
}

/** What a dataset was used for. */
const contextTag = 'mlflow.data.context';

const maxMentions = 1_000;

/** Ids of runs and logged models that stand in its inputs: as models, or within the sources of datasets. */
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

/** A run that has just begun. */
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
  } as unknown as RunBody);
  return { body: draft.toBody(), draft };
}
