import { mapConcurrent } from '../../../../core/async/map-concurrent.ts';
import type { Column } from '../../schema/column.ts';
import { inferSchema, mergeSurveys } from '../../schema/infer-schema.ts';
import type { TableConverter } from './table-converter.ts';
import { areSameColumns } from '../../schema/same-columns.ts';
import type { ColumnSurvey } from '../../schema/survey.ts';
import { BadRows } from '../bad-rows/bad-rows.ts';
import { keepContract, toIncoming } from './keep-contract.ts';
import type { LandedFile } from './landed-file.ts';
import { contractOf, hasUniqueRows, rowRulesOf } from './row-rules.ts';
import type { RowPlaces, TypedFile } from './typed-rows.ts';
import type { BadRow, TextChunk } from '../../../../formats/tabular/text-chunk.ts';
import { join } from 'node:path';

/** Two conversions use two cores while a third chunk is stored. */
const maxConcurrent = 3;
/** Types only widen, so two passes settle them. Late columns of JSON Lines may need more. */
const maxPasses = 4;

export interface TypedText {
  readonly columns: readonly Column[];
  readonly files: readonly TypedFile[];
  /** Not closed: the caller closes it. */
  readonly bad: BadRows;
}

/**
 * Types the chunks of a text file. The type of an undecided column is inferred from the first chunk, and the column is
 * surveyed while all chunks are converted. If the survey of the whole file infers other types, all chunks are converted
 * again.
 *
 * @param onChunk called for each chunk after its first conversion
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
    // The last line of JSON Lines may have a new column.
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
      if (areSameColumns(refined, columns)) break;
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

/** The columns of a file's rows: those of the contract, and others as the survey infers them. */
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
  // Each value is checked against the contract's type, so the column has no type of its own to compare.
  const known = new Set(contract.map(({ name }) => name));
  const incoming = inferred.map((column) => (known.has(column.name) ? { name: column.name } : column));
  const seen = new Set(incoming.map(({ name }) => name));
  const header = shape.kind === 'csv' ? shape.header.filter((name) => !seen.has(name)) : [];
  return keepContract(contract, [...incoming, ...header.map((name) => ({ name }))]);
}

/** Where the good rows of a chunk were in the landed file. */
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

/** Surveys of JSON Lines list columns in order of appearance; known columns keep their position. */
function keepOrder(before: readonly Column[], after: readonly Column[]): readonly Column[] {
  const byName = new Map(after.map((column) => [column.name, column]));
  const known = new Set(before.map(({ name }) => name));
  const kept = before.flatMap(({ name }) => byName.get(name) ?? []);
  return [...kept, ...after.filter(({ name }) => !known.has(name))];
}

function openBadRows({ folder }: LandedFile, pass: number): BadRows {
  return new BadRows(join(folder, `bad-values-${pass}.jsonl`));
}

async function* resume<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
