import type { ColumnType } from '../../../shared/domains/datasets/schema/column.ts';
import { planColumns, type PlannedColumn } from '../../../shared/adapters/duckdb/conversion/column-plan.ts';
import { isGood, selectTyped, valueOf } from '../../../shared/adapters/duckdb/conversion/row-checks.ts';
import { type DuckDbSession, openDuckDb } from '../../../shared/adapters/duckdb/session.ts';

/** Evaluates the SQL that converts texts to typed columns, in a separate database. */
export class TypedTexts {
  readonly #session: DuckDbSession;

  private constructor(session: DuckDbSession) {
    this.#session = session;
  }

  static async open(): Promise<TypedTexts> {
    return new TypedTexts(await openDuckDb({ threads: 1, memoryLimitMb: 256, allowedPaths: [] }));
  }

  /** @returns the value of `sql` for each row of texts */
  async evaluate(
    planned: readonly PlannedColumn[],
    rows: readonly (readonly (string | null)[])[],
    sql: string,
  ): Promise<readonly unknown[]> {
    const { connection } = this.#session;
    const columns = planned.map((_, index) => `c${index}`);
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE texts (n INTEGER, ${columns.map((name) => `${name} VARCHAR`).join(', ')})`,
    );
    const appender = await connection.createAppender('texts');
    for (const [index, row] of rows.entries()) {
      appender.appendInteger(index);
      for (const text of row)
        if (text === null) appender.appendNull();
        else appender.appendVarchar(text);
      appender.endRow();
    }
    appender.closeSync();
    const from = `(SELECT ${columns.join(', ')} FROM texts ORDER BY n)`;
    const reader = await connection.runAndReadAll(`SELECT ${sql} FROM (${selectTyped(planned, from)})`);
    return reader.getColumns()[0] ?? [];
  }

  /** @returns for each text its value as text, null, or 'bad'; `write` changes the SQL of the value */
  async convert(
    type: ColumnType,
    texts: readonly string[],
    write = (value: string) => value,
  ): Promise<readonly (string | null)[]> {
    const planned = planTypes([type]);
    const value = write(valueOf(planned[0]!, 0));
    const found = await this.evaluate(
      planned,
      texts.map((text) => [text]),
      `CASE WHEN ${isGood(planned)} THEN (${value})::VARCHAR ELSE 'bad' END`,
    );
    return found as readonly (string | null)[];
  }

  [Symbol.dispose](): void {
    this.#session.dispose();
  }
}

/** Nullable columns `c0`, `c1`, … of these types. */
export function planTypes(types: readonly ColumnType[]): readonly PlannedColumn[] {
  const columns = types.map((type, index) => ({ name: `c${index}`, type, nullable: true }));
  return planColumns(
    columns.map(({ name }) => name),
    { columns, constraints: [] },
  );
}
