import { mapConcurrent } from '../../../../core/async/map-concurrent.ts';
import type { Column } from '../../schema/column.ts';
import { inferSchema, mergeSurveys } from '../../schema/infer-schema.ts';
import type { TableConverter } from './table-converter.ts';
import type { ColumnSurvey } from '../../schema/survey.ts';
import { BadRows } from './bad-rows.ts';
import { keepContract, toIncoming } from './keep-contract.ts';
import {
  contractOf,
  hasUniqueRows,
  type LandedFile,
  type RowPlaces,
  rowRulesOf,
  type TypedFile,
} from './landed-file.ts';
import type { BadRow, TextChunk } from '../../../../formats/tabular/text-chunk.ts';
import { join } from 'node:path';

/** Two keep two cores busy, and one more is being stored. */
const maxConcurrent = 3;
/** Columns can only widen, and settle after the first time; this is for those of JSON Lines that come late. */
const maxPasses = 4;

export interface TypedText {
  readonly columns: readonly Column[];
  readonly files: readonly TypedFile[];
  /** Still open. */
  readonly bad: BadRows;
}

/**
 * Types the chunks of a text file. Columns that are not settled get their type from the first chunk, and are surveyed
 * while all chunks are converted by it; only if the whole file says otherwise are they converted once more.
 *
 * @param onChunk told of each chunk that was converted, the first time
 * @throws UNPROCESSABLE for a file that breaks the contract
 */
export async function typeChunks(
  chunks: AsyncIterable<TextChunk>,
  landed: LandedFile,
  converter: TableConverter,
  onChunk: (chunk: TextChunk) => void,
): Promise<TypedText> {
  const iterator = chunks[Symbol.asyncIterator]();
  const kept: TextChunk[] = [];
  const contract = contractOf(landed) ?? [];
  try {
    const first = await iterator.next();
    if (first.done === true) return { columns: contract, files: [], bad: openBadRows(landed, 0) };
    const { shape } = first.value;
    let columns = settle(await converter.survey(first.value, landed.signal), shape, landed);
    const settled = new Set([...landed.settings.columns, ...contract].map(({ name }) => name));
    const undecided = new Set(columns.map(({ name }) => name).filter((name) => !settled.has(name)));
    // JSON Lines may show a new column in the last line.
    const isOpen = undecided.size > 0 || shape.kind === 'jsonl';
    const onConverted = async (chunk: TextChunk) => {
      onChunk(chunk);
      if (isOpen) kept.push(chunk);
      else await chunk[Symbol.asyncDispose]();
    };
    const work = { landed, converter };
    let pass = await convertAll(resume(first.value, iterator), {
      ...work,
      columns,
      undecided,
      bad: openBadRows(landed, 0),
      onConverted,
    });
    const passes = isOpen ? maxPasses : 1;
    for (let again = 1; again < passes; again += 1) {
      const refined = keepOrder(columns, settle(pass.survey, shape, landed));
      if (isEqual(refined, columns)) break;
      columns = refined;
      await pass.bad.close();
      const bad = openBadRows(landed, again);
      pass = await convertAll(iterate(kept), {
        ...work,
        columns,
        undecided: new Set(),
        bad,
        onConverted: () => Promise.resolve(),
      });
    }
    return { columns, files: pass.files, bad: pass.bad };
  } finally {
    await iterator.return?.();
    await Promise.all(kept.map((chunk) => chunk[Symbol.asyncDispose]()));
  }
}

interface Pass {
  readonly files: readonly TypedFile[];
  readonly survey: readonly ColumnSurvey[];
  readonly bad: BadRows;
}

interface PassOptions {
  readonly landed: LandedFile;
  readonly converter: TableConverter;
  readonly columns: readonly Column[];
  readonly undecided: ReadonlySet<string>;
  readonly bad: BadRows;
  readonly onConverted: (chunk: TextChunk) => Promise<void>;
}

async function convertAll(chunks: AsyncIterable<TextChunk>, options: PassOptions): Promise<Pass> {
  const { landed, converter, columns, undecided, bad, onConverted } = options;
  const { signal } = landed;
  const constraints = rowRulesOf(landed, columns);
  const needsPlaces = hasUniqueRows(landed);
  const files: TypedFile[] = [];
  let survey: readonly ColumnSurvey[] = [];
  const converted = mapConcurrent(chunks, maxConcurrent, async (chunk) => {
    const rows = await converter.convert(chunk, { columns, constraints, undecided, signal });
    const places = needsPlaces ? { places: findPlaces(chunk, rows.bad) } : {};
    await onConverted(chunk);
    if (!rows.file) return { rows };
    return { rows, typed: { staged: await landed.store(rows.file), path: rows.file.path, ...places } };
  });
  for await (const { rows, typed } of converted) {
    if (typed) files.push(typed);
    await bad.addAll(rows.bad);
    survey = mergeSurveys([survey, rows.survey]);
  }
  return { files, survey, bad };
}

/** The columns that a file's rows get: the contract's, and what the survey says of others. */
function settle(
  survey: readonly ColumnSurvey[],
  shape: TextChunk['shape'],
  landed: LandedFile,
): readonly Column[] {
  const { columns: declared, maxBadFraction } = landed.settings;
  const types = new Map(declared.map(({ name, type }) => [name, type]));
  const inferred = inferSchema(survey, { tolerance: maxBadFraction }).map((column) => {
    const type = types.get(column.name);
    return type === undefined ? column : { name: column.name, nullable: column.nullable, type };
  });
  const contract = contractOf(landed);
  if (!contract) return keepContract(undefined, inferred.map(toIncoming));
  // Texts are held against the contract's types one by one: the column as a whole has none to compare.
  const known = new Set(contract.map(({ name }) => name));
  const incoming = inferred.map((column) => (known.has(column.name) ? { name: column.name } : column));
  const seen = new Set(incoming.map(({ name }) => name));
  const header = shape.kind === 'csv' ? shape.header.filter((name) => !seen.has(name)) : [];
  return keepContract(contract, [...incoming, ...header.map((name) => ({ name }))]);
}

/** Where the good rows of a chunk were. */
function findPlaces(chunk: TextChunk, bad: readonly BadRow[]): RowPlaces {
  const { numbers, offsets, lengths } = chunk;
  const isBad = new Set(bad.map(({ row }) => row));
  const good = [...numbers.keys()].filter((index) => !isBad.has(numbers[index]!));
  return {
    numbers: Float64Array.from(good, (index) => numbers[index]!),
    offsets: Float64Array.from(good, (index) => offsets[index]!),
    lengths: Uint32Array.from(good, (index) => lengths[index]!),
  };
}

/** Surveys of JSON Lines tell of columns in whatever order; what is there keeps its place. */
function keepOrder(before: readonly Column[], after: readonly Column[]): readonly Column[] {
  const byName = new Map(after.map((column) => [column.name, column]));
  const known = new Set(before.map(({ name }) => name));
  const kept = before.flatMap(({ name }) => byName.get(name) ?? []);
  return [...kept, ...after.filter(({ name }) => !known.has(name))];
}

function openBadRows({ folder }: LandedFile, pass: number): BadRows {
  return new BadRows(join(folder, `bad-values-${pass}.jsonl`));
}

function isEqual(a: readonly Column[], b: readonly Column[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, type, nullable }, index) => {
      const other = b[index]!;
      return name === other.name && type === other.type && nullable === other.nullable;
    })
  );
}

async function* resume<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
