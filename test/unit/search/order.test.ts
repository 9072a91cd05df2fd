import { expect, test } from 'vitest';
import { versionSubject } from '../../../shared/domains/registry/subjects.ts';
import { parseOrder } from '../../../shared/platform/search/parse-order.ts';
import { runSubject } from '../../../shared/domains/tracking/subjects/runs.ts';
import { runNames, versionNames } from '../../../shared/api/mlflow/search-names.ts';
import { type SearchSubject, withNames } from '../../../shared/platform/search/subject.ts';

const runs = withNames(runSubject, runNames);
const versions = withNames(versionSubject, versionNames);

const order = (subject: SearchSubject, ...asked: string[]) =>
  parseOrder(asked, subject).map(({ field, direction }) => `${field.path.at(-1)} ${direction}`);

test('an order ends at the first unique field', () => {
  expect(order(runs, 'run_id DESC', 'metrics.a')).toEqual(['runId desc']);
  expect(order(runs, 'metrics.a')).toEqual(['a asc', 'startTime desc', 'runId asc']);
});

test('a version number is unique only together with its model', () => {
  expect(order(versions, 'version_number DESC')).toEqual(['version desc', 'model asc']);
  expect(order(versions, 'name DESC')).toEqual(['model desc', 'version desc']);
  expect(order(versions, 'name', 'version_number', 'run_id')).toEqual(['model asc', 'version asc']);
  expect(order(versions)).toEqual(['updatedAt desc', 'model asc', 'version desc']);
});
