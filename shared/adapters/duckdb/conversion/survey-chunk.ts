import { readFile } from 'node:fs/promises';
import type { TextChunk } from '../../../formats/tabular/text-chunk.ts';
import { createYielder } from '../../../core/async/yielder.ts';
import { splitRecord } from '../../../domains/datasets/schema/split-record.ts';
import type { ColumnSurvey } from '../../../domains/datasets/schema/survey.ts';
import { ColumnCounter } from '../../../domains/datasets/schema/survey-values.ts';
import { readJsonChunk } from './json-chunk.ts';

/** Surveys every value of a chunk, at about 0.2 µs each, on this thread; yields to the event loop. */
export async function surveyChunk(chunk: TextChunk, signal: AbortSignal): Promise<readonly ColumnSurvey[]> {
  const { shape, starts } = chunk;
  if (shape.kind === 'jsonl') {
    const { survey } = await readJsonChunk(chunk, { columns: [], surveys: () => true, signal });
    return survey;
  }
  const bytes = await readFile(chunk.path);
  const counters = shape.header.map((name) => new ColumnCounter(name));
  const pause = createYielder();
  for (let record = 0; record < chunk.records; record += 1) {
    if ((record & 31) === 0) {
      await pause();
      signal.throwIfAborted();
    }
    const row = chunk.numbers[record]!;
    const fields = splitRecord(
      bytes.toString('utf8', starts[record], starts[record + 1]! - 1),
      shape.delimiter,
    );
    for (const [index, counter] of counters.entries()) {
      const text = fields[index];
      if (text === null || text === undefined) counter.addNulls(1);
      else counter.add(text, row);
    }
  }
  return counters.map((counter) => counter.finish());
}
