import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../../../../core/errors.ts';
import { allowedFunctions, allowedTableFunctions } from './functions.ts';

/** The time and memory of the parser grow with it. */
export const maxSqlBytes = 100_000;

/** A statement parsed by `json_serialize_sql`: expressions have a `class`, other nodes a `type`. */
type Tree = { readonly [key: string]: unknown };

const expressionClasses = new Set([
  'BETWEEN',
  'CASE',
  'CAST',
  'COLLATE',
  'COLUMN_REF',
  'COMPARISON',
  'CONJUNCTION',
  'CONSTANT',
  'FUNCTION',
  'LAMBDA',
  'OPERATOR',
  'POSITIONAL_REFERENCE',
  'STAR',
  'SUBQUERY',
  'WINDOW',
]);

/** Nodes of queries, of FROM, and modifiers. */
const nodeTypes = new Set([
  'CTE_NODE',
  'RECURSIVE_CTE_NODE',
  'SELECT_NODE',
  'SET_OPERATION_NODE',
  'BASE_TABLE',
  'EMPTY',
  'EXPRESSION_LIST',
  'JOIN',
  'PIVOT',
  'SUBQUERY',
  'TABLE_FUNCTION',
  'DISTINCT_MODIFIER',
  'LIMIT_MODIFIER',
  'LIMIT_PERCENT_MODIFIER',
  'ORDER_MODIFIER',
]);

/**
 * Checks that a text is one SELECT statement that reads nothing but the table. Uses DuckDB's own parser, which also parses
 * the text to run it, and an allow-list of nodes and functions.
 *
 * @param names of the table
 * @throws INVALID_ARGUMENT saying what is wrong, and where
 */
export async function checkSelect(
  connection: DuckDBConnection,
  sql: string,
  names: readonly string[],
): Promise<void> {
  const statement = await parseOne(connection, sql);
  const tables = new Set(names.map((name) => name.toLowerCase()));
  for (const name of collectCteNames(statement)) tables.add(await checkCteName(connection, name));
  checkTree(statement, { tables, allowSubqueries: true });
}

/**
 * Checks that a text is one boolean expression over a table's columns, without subqueries.
 *
 * @throws INVALID_ARGUMENT
 */
export async function checkCondition(connection: DuckDBConnection, condition: string): Promise<void> {
  const statement = await parseOne(connection, `SELECT 1 FROM data WHERE ${wrapCondition(condition)}`);
  const plain = await parseOne(connection, 'SELECT 1 FROM data');
  const where = (statement['node'] as Tree)['where_clause'] as Tree | null;
  const parts = where?.['type'] === 'OPERATOR_COALESCE' ? (where['children'] as readonly unknown[]) : [];
  // A text that closes the parentheses changes the statement outside of the condition.
  if (parts.length !== 2 || withoutCondition(statement) !== withoutCondition(plain))
    throw invalid('The condition must be one boolean expression, such as "price > 10 AND country = \'DE\'".');
  checkTree(statement, { tables: new Set(['data']), allowSubqueries: false });
}

/**
 * Embeds a checked condition in a statement: as a function argument it cannot affect its surroundings. The line end closes
 * a trailing comment.
 */
export function wrapCondition(condition: string): string {
  return `coalesce((${condition}\n), false)`;
}

function withoutCondition(statement: Tree): string {
  return JSON.stringify(statement, (key, value: unknown) =>
    key === 'where_clause' || key === 'query_location' ? null : value,
  );
}

async function parseOne(connection: DuckDBConnection, sql: string): Promise<Tree> {
  const sizeBytes = Buffer.byteLength(sql);
  if (sizeBytes > maxSqlBytes)
    throw invalid(`The SQL has ${sizeBytes} bytes, over the limit of ${maxSqlBytes}.`, {
      sizeBytes,
      maxSqlBytes,
    });
  // DuckDB would stop there, and the checked text must be the text that runs.
  if (sql.includes('\0')) throw invalid('The SQL contains a NUL character.');
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  const answer = parseAnswer(reader.value(0, 0) as string);
  if (answer['error'] === true) throw refuse(answer);
  const statements = answer['statements'] as readonly Tree[];
  const [statement] = statements;
  if (statement === undefined) throw invalid('The SQL has no statement.');
  if (statements.length > 1)
    throw invalid(`The SQL has ${statements.length} statements; write exactly one SELECT.`);
  return statement;
}

/** Infinite constants (1e999) make the JSON invalid; their value does not matter here. */
function parseAnswer(text: string): Tree {
  return JSON.parse(text.replaceAll(/(?<!\\)"value":-?(?:Infinity|NaN|inf|nan)\b/gi, '"value":null')) as Tree;
}

function refuse(answer: Tree): AppError {
  const message = String(answer['error_message']);
  if (/only select statements/i.test(message))
    return invalid('Only SELECT statements are allowed: versions never change.');
  const position = Number(answer['position']);
  const details = Number.isSafeInteger(position) ? { position } : {};
  return invalid(`The SQL is not valid: ${message.split('\n')[0]}.`, details);
}

interface Rules {
  /** Lower case. */
  readonly tables: ReadonlySet<string>;
  readonly allowSubqueries: boolean;
}

/** Iterative, because a statement may be nested deeply. */
function checkTree(root: Tree, rules: Rules): void {
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (value === null || typeof value !== 'object') continue;
    if (!Array.isArray(value)) checkNode(value as Tree, rules);
    for (const child of Object.values(value)) waiting.push(child);
  }
}

function checkNode(node: Tree, rules: Rules): void {
  const { class: expressionClass, type } = node;
  if (typeof expressionClass === 'string') {
    checkExpression(node, expressionClass, rules);
    return;
  }
  // Value types are objects; sort orders and casts have types of their own.
  if (typeof type !== 'string' || /^(ORDER_DEFAULT|ASCENDING|DESCENDING)$|_TYPE_INFO$/.test(type)) return;
  if (type === 'SHOW_REF')
    throw invalid('SHOW, DESCRIBE and SUMMARIZE are not allowed: use …/schema for the columns.');
  if (!nodeTypes.has(type)) throw invalid(`${type} is not allowed in a query.`);
  if (type === 'BASE_TABLE') checkTable(node, rules);
  if (type === 'TABLE_FUNCTION') checkTableFunction(node);
}

function checkExpression(node: Tree, expressionClass: string, { allowSubqueries }: Rules): void {
  if (expressionClass === 'PARAMETER') throw invalid('The SQL has a parameter: write the value instead.');
  if (!expressionClasses.has(expressionClass)) throw invalid(`${expressionClass} is not allowed in a query.`);
  if (expressionClass === 'SUBQUERY' && !allowSubqueries)
    throw invalid('A condition cannot contain a subquery: use …/query instead.');
  const name = node['function_name'];
  if (typeof name !== 'string' || allowedFunctions.has(name.toLowerCase())) return;
  // Table functions in FROM are checked there; elsewhere DuckDB does not find them.
  if (allowedTableFunctions.has(name.toLowerCase())) return;
  throw invalid(`The function "${shorten(name)}" is not allowed.`, { function: shorten(name) });
}

function checkTable(node: Tree, { tables }: Rules): void {
  const name = String(node['table_name']);
  const isQualified = node['schema_name'] !== '' || node['catalog_name'] !== '';
  if (!isQualified && tables.has(name.toLowerCase()) && !node['at_clause']) return;
  const message = node['at_clause']
    ? 'AT is not allowed: the version is part of the URL.'
    : `There is no table "${shorten(name)}": the table is called "data".`;
  throw invalid(message, { table: shorten(name) });
}

function checkTableFunction(node: Tree): void {
  const called = node['function'] as Tree | null;
  const name = String(called?.['function_name']);
  if (called?.['class'] === 'FUNCTION' && allowedTableFunctions.has(name.toLowerCase())) return;
  throw invalid(`The table function "${shorten(name)}" is not allowed: the table is called "data".`, {
    function: shorten(name),
  });
}

function collectCteNames(root: Tree): readonly string[] {
  const names: string[] = [];
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (value === null || typeof value !== 'object') continue;
    const map = (value as Tree)['cte_map'] as { readonly map?: readonly Tree[] } | undefined;
    for (const entry of map?.map ?? []) names.push(String(entry['key']));
    for (const child of Object.values(value)) waiting.push(child);
  }
  return names;
}

/**
 * Refuses names of a WITH that could mean a system view or a file elsewhere in the statement.
 *
 * @returns the name in lower case
 */
async function checkCteName(connection: DuckDBConnection, name: string): Promise<string> {
  const lower = name.toLowerCase();
  const isPlain = /^[\p{L}\p{N}_ ]{1,100}$/u.test(name);
  const reader = await connection.runAndReadAll(
    'SELECT count(*)::INTEGER FROM (SELECT view_name AS n, internal FROM duckdb_views() UNION ALL SELECT table_name, internal FROM duckdb_tables()) WHERE internal AND lower(n) = $1',
    [lower],
  );
  if (isPlain && reader.value(0, 0) === 0) return lower;
  throw invalid(`"${shorten(name)}" cannot be the name of a WITH: choose another name.`);
}

function shorten(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}

function invalid(message: string, details: Readonly<Record<string, unknown>> = {}): AppError {
  return new AppError('INVALID_ARGUMENT', message, details);
}
