import { text } from 'node:stream/consumers';
import { query } from 'chdb';

/** Runs the queries that come as a JSON array, each answered with its rows as JSON lines, or its error. */
const queries = JSON.parse(await text(process.stdin)) as readonly string[];
const answers = queries.map((sql) => {
  try {
    return { rows: query(sql, 'JSONEachRow') };
  } catch (error) {
    return { error: String(error) };
  }
});
process.stdout.write(JSON.stringify(answers));
