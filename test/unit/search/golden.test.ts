import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppError } from '../../../shared/core/errors.ts';
import type { JsonObject } from '../../../shared/core/json/json.ts';
import { parseFilter } from '../../../shared/platform/search/parse-filter.ts';
import { parseOrder } from '../../../shared/platform/search/parse-order.ts';
import { searchDocuments } from '../../../shared/platform/search/search.ts';
import { type SearchSubject, withNames } from '../../../shared/platform/search/subject.ts';
import {
  experimentNames,
  loggedModelNames,
  modelNames,
  runNames,
  versionNames,
} from '../../../shared/api/mlflow/search-names.ts';
import { toMlflowMessage } from '../../../shared/api/mlflow/wording/wordings.ts';
import { modelSubject, versionSubject } from '../../../shared/domains/registry/subjects.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { experimentSubject } from '../../../shared/domains/tracking/subjects/experiments.ts';
import { loggedModelSubject } from '../../../shared/domains/tracking/subjects/logged-models.ts';
import { runSubject } from '../../../shared/domains/tracking/subjects/runs.ts';
import { openSqliteFixture } from '../../support/documents/stores.ts';
import type { SqliteFixture } from '../../support/documents/stores.ts';

interface Query {
  readonly filter: string;
  readonly order_by: readonly string[];
}

interface Syntax extends Query {
  readonly what: string;
  readonly accepted: boolean;
  readonly message?: string;
}

interface Run {
  readonly run_id: string;
  readonly name: string;
  readonly user: string;
  readonly status: string;
  readonly start_time: number;
  readonly end_time: number | null;
  readonly artifact_uri: string;
  readonly metrics: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly datasets: readonly {
    readonly name: string;
    readonly digest: string;
    readonly context: string;
  }[];
}

const read = (name: string): unknown => JSON.parse(readFileSync(`test/golden/search/${name}.json`, 'utf8'));
const syntax = read('syntax') as { readonly queries: readonly Syntax[] };
const results = read('results') as {
  readonly runs: readonly Run[];
  readonly queries: readonly (Query & { readonly found: readonly number[] })[];
};

/** Sorted by descending start time, then by id. */
const runsWithQuote = results.runs
  .map((run, index) => ({ ...run, index }))
  .filter(({ tags }) => tags['quote'] === "it's")
  .sort((a, b) => b.start_time - a.start_time || (a.run_id < b.run_id ? -1 : 1))
  .map(({ index }) => index);

const subjects: Readonly<Record<string, SearchSubject>> = {
  runs: withNames(runSubject, runNames),
  experiments: withNames(experimentSubject, experimentNames),
  'logged models': withNames(loggedModelSubject, loggedModelNames),
  'registered models': withNames(modelSubject, modelNames),
  'model versions': withNames(versionSubject, versionNames),
};

/** Accepted here, refused by MLflow. */
const beyond: ReadonlySet<string> = new Set([
  '   ',
  'metrics.val/acc > 0',
  "params.lr IN ('0.1', '0.2')",
  "run_name IN ('run 1', 'run 2')",
  "status IN ('FAILED')",
  'attributes.end_time IS NULL',
  'attributes.run_name IS NULL',
  'metrics.loss IS NULL',
  'metrics.loss < 0.5 OR metrics.acc > 0.5',
  'metrics.loss < 0.5 OR metrics.loss > 2',
  '(metrics.loss < 0.5)',
  'NOT metrics.loss < 0.5',
  'not(metrics.loss < 0.5)',
  'metrics.loss < 0.5 AND (metrics.acc > 0.5)',
  "tags.team NOT LIKE 'r%'",
  'metric.loss < 0.5',
]);

/** Refused here as certain mistakes, accepted by MLflow. */
const refused: ReadonlySet<string> = new Set(['["metrics."]', "version_number = 'a'"]);

/** MLflow does not unescape a doubled quote in a filter, so it finds nothing. */
const better = "tags.quote = 'it''s'";

describe('MLflow’s own parsers', () => {
  const known = syntax.queries.filter(({ what }) => subjects[what] !== undefined);

  it.each(known.map((query) => [query.what, query.filter, JSON.stringify(query.order_by), query] as const))(
    '%s: %s %s',
    (_, filter, order, { what, accepted, message }) => {
      const subject = subjects[what]!;
      const { error } = attempt(() => {
        parseFilter(filter, subject);
        parseOrder(JSON.parse(order) as string[], subject);
      });
      if (error !== undefined) expect(error.code).toBe('INVALID_ARGUMENT');
      const isAccepted = beyond.has(filter) || (accepted && !refused.has(order) && !refused.has(filter));
      expect(error === undefined, error ? toMlflowMessage(error) : message).toBe(isAccepted);
      if (beyond.has(filter)) expect(message === undefined).toBe(accepted);
    },
  );

  it('errors begin with MLflow’s wording where clients see them', () => {
    const words = known.flatMap(({ what, filter, order_by, message }) => {
      const subject = subjects[what]!;
      const { error } = attempt(() => {
        parseFilter(filter, subject);
        parseOrder(order_by, subject);
      });
      const start = (text: string) => text.split(' ').slice(0, 2).join(' ');
      const ours = error && toMlflowMessage(error);
      return ours === undefined || message === undefined || start(ours) === start(message)
        ? []
        : [`${filter} ${String(order_by)}: ${message} | ${ours}`];
    });
    expect(words).toMatchInlineSnapshot(`
      [
        "metrics.loss LIKE '1%' : Expected numeric value type for metric. Found '1%' | Invalid comparator 'LIKE' not one of '=', '!=', '<', '<=', '>', '>=' (at character 14)",
        "metrics.loss IN (1, 2) : Expected numeric value type for metric. Found (1, 2) | Invalid comparator 'IN' not one of '=', '!=', '<', '<=', '>', '>=' (at character 14)",
        "tags.team = red : Parameter value is either not quoted or unidentified quote types used for string value red. Use either single or double quotes. | Expected a quoted string value for tags.team (e.g. 'my-value'). Got value red (at character 13)",
        "run_id IN (1, 2) : While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: (1, 2) | Expected a quoted string value for run_id (e.g. 'my-value'). Got value 1 (at character 12)",
        "run_id IN 'a' : Invalid clause(s) in filter string: 'run_id', 'IN', ''a'' | While parsing a list in the query, expected a non-empty list of string values in parentheses, but found ''a'' (at character 11)",
        "metrics.loss : Invalid clause(s) in filter string: 'metrics.loss' | Invalid comparison clause: expected a comparison (=, !=, <, <=, >, >=, IS NULL) found '' (at character 13)",
        "metrics.loss < : Invalid clause(s) in filter string: 'metrics.loss', '<' | Expected numeric value type for metrics.loss. Found nothing (at character 15)",
        "< 0.5 : Invalid clause(s) in filter string: '<', '0.5' | Invalid comparison clause. Expected 'Identifier' found '<': a field such as metrics.loss or tags."my key" comes first (at character 1)",
        "params.lr = 'unclosed : Invalid clause(s) in filter string: 'params.lr', '=', ''', 'unclosed' | Invalid filter: a string has no closing quote: 'unclosed (at character 13)",
        "params.\`lr = 'x' : Invalid clause(s) in filter string: 'params.', '\`' | Invalid filter: a quoted name has no closing \`: \`lr = 'x' (at character 8)",
        "params.lr = \`0.1\` : Parameter value is either not quoted or unidentified quote types used for string value \`0.1\`. Use either single or double quotes. | Expected a quoted string value for params.lr (e.g. 'my-value'). Got value \`0.1\` (at character 13)",
        "metrics.loss < 0.5; metrics.acc > 1 : Search filter contained multiple expression 'metrics.loss < 0.5; metrics.acc > 1'. Provide AND-ed expression list. | Expected numeric value type for metrics.loss. Found 0.5; (at character 16)",
        "'metrics'.loss < 0.5 : Invalid clause(s) in filter string: ''metrics'', '.' | Invalid comparison clause. Expected 'Identifier' found ''metrics'': a field such as metrics.loss or tags."my key" comes first (at character 1)",
        "metrics.loss < 0x10 : Invalid clause(s) in filter string: 'metrics.loss', '<', '0x10' | Expected numeric value type for metrics.loss. Found 0x10 (at character 16)",
        "metrics.loss BETWEEN 0 AND 1 : Invalid clause(s) in filter string: 'metrics.loss', 'BETWEEN', '0', '1' | Invalid comparison clause: expected a comparison (=, !=, <, <=, >, >=, IS NULL) found 'BETWEEN' (at character 14)",
        "hello world : Invalid clause(s) in filter string: 'hello world' | Invalid attribute key 'hello' specified. Valid keys are ['run_id', 'run_name', 'user_id', 'status', 'artifact_uri', 'start_time', 'end_time'] (at character 1)",
        " metrics.loss UP: Invalid ordering key in order_by clause 'metrics.loss UP'. | Invalid order_by clause 'metrics.loss UP'. Invalid ordering key 'UP': expected ASC or DESC.",
        " datasets.name: Invalid identifier type 'dataset' | Invalid order_by clause 'datasets.name'. Invalid order_by entity: runs cannot be ordered by it.",
        "name = a : Parameter value is either not quoted or unidentified quote types used for string value a. Use either single or double quotes. | Expected a quoted string value for name (e.g. 'my-value'). Got value a (at character 8)",
        "metrics.loss LIKE 'a' : Invalid comparison operator for metrics.loss: 'LIKE'. Expected one of ('<', '<=', '>', '>=', '=', '!='). | Invalid comparator 'LIKE' not one of '=', '!=', '<', '<=', '>', '>=' (at character 14)",
        "params.lr > '0.1' : Invalid comparison operator for params.lr: '>'. Expected one of ('=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'). | Invalid comparator '>' not one of '=', '!=', 'LIKE', 'ILIKE', 'IN' (at character 11)",
      ]
    `);
  });
});

describe('MLflow’s SQL store finds', () => {
  let fixture: SqliteFixture;
  let store: MetadataStore;
  beforeAll(async () => {
    fixture = await openSqliteFixture();
    ({ store } = fixture);
    for (const run of results.runs)
      await store.create({ container: 'tracking', partition: '1', id: `run-${run.run_id}` }, toDocument(run));
  });
  afterAll(() => fixture.dispose());

  it.each(results.queries.map((query) => [query.filter, query.order_by.join(', '), query] as const))(
    '%s | %s',
    async (_, __, { filter, order_by: orderBy, found }) => {
      if (refused.has(JSON.stringify(orderBy))) return;
      const expected = filter === better ? runsWithQuote : found;
      for (const limit of [1_000, 7]) {
        const ids: unknown[] = [];
        let pageToken: string | undefined;
        do {
          const page: Awaited<ReturnType<typeof searchDocuments>> = await searchDocuments(store, {
            container: 'tracking',
            partition: '1',
            scope: { op: 'compare', test: 'eq', path: ['kind'], value: 'run' },
            subject: runSubject,
            names: runNames,
            filter,
            orderBy,
            limit,
            ...(pageToken === undefined ? {} : { pageToken }),
          });
          ids.push(...page.documents.map(({ id }) => id));
          ({ pageToken } = page);
        } while (pageToken !== undefined);
        expect(ids).toEqual(expected.map((index) => `run-${results.runs[index]!.run_id}`));
      }
    },
  );
});

function attempt(work: () => void): { readonly error?: AppError } {
  try {
    work();
    return {};
  } catch (error) {
    return { error: error as AppError };
  }
}

/** A run in the layout of the tracking store. */
function toDocument(run: Run): JsonObject {
  const metrics = Object.entries(run.metrics).map(([key, text]) => [key, toNumber(text)] as const);
  const names = (pick: (dataset: Run['datasets'][number]) => string) =>
    Object.fromEntries(run.datasets.map((dataset) => [pick(dataset), true]));
  return {
    kind: 'run',
    run: {
      runId: run.run_id,
      name: run.name,
      userId: run.user,
      status: run.status,
      startTime: run.start_time,
      artifactUri: run.artifact_uri,
      ...(run.end_time === null ? {} : { endTime: run.end_time }),
    },
    params: run.params,
    tags: run.tags,
    metrics: Object.fromEntries(metrics.filter(([, value]) => !Number.isNaN(value))),
    nan: Object.fromEntries(metrics.filter(([, value]) => Number.isNaN(value)).map(([key]) => [key, true])),
    datasets: {
      name: names(({ name }) => name),
      digest: names(({ digest }) => digest),
      context: names(({ context }) => context),
    },
  };
}

function toNumber(text: string): number {
  if (text === 'inf') return Number.MAX_VALUE;
  return text === '-inf' ? -Number.MAX_VALUE : Number(text === 'nan' ? NaN : text);
}
