import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { transact } from '../../../shared/adapters/embedded/queue/database.ts';

type AnyRow = Readonly<Record<string, SQLOutputValue>>;

/** A database with cached statements, and transactions that always end. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** @returns rows with the columns that the caller's SQL selects */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what its SQL selects
  all<Row extends AnyRow>(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what its SQL selects
  get<Row extends AnyRow>(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  /** @returns the number of rows changed */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** Commits all of `work`, or rolls it back when it throws. `work` must not await. */
  transaction<Result>(work: () => Result): Result {
    return transact(this.#db, work);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
