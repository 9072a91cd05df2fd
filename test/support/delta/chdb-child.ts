import { text } from 'node:stream/consumers';
import { query } from 'chdb';

/** Runs queries of a JSON array, and returns the rows of each as JSON lines, or its error. */
const queries = JSON.parse(await text(process.stdin)) as readonly string[];
const answers = queries.map((sql) => {
  try {
    return { rows: query(sql, 'JSONEachRow') };
  } catch (error) {
    return { error: String(error) };
  }
});
process.stdout.write(JSON.stringify(answers));
