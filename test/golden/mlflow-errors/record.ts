/**
 * Records the answers of a real tracking server to the script beside this, on an empty database:
 *
 *     mlflow server --backend-store-uri sqlite:///new.db --default-artifact-root mlflow-artifacts:/ \
 *       --artifacts-destination ./new --port 5005
 *     node test/golden/mlflow-errors/record.ts http://127.0.0.1:5005
 *
 * The answers in the JSON file are those of mlflow 3.17.2.
 */
import { writeFileSync } from 'node:fs';
import { sendTo, toErrorLine } from '../../support/mlflow/errors.ts';
import { runScript } from '../../support/mlflow/script.ts';
import { errorScript } from './script.ts';

const [url = ''] = process.argv.slice(2);
const results = await runScript(errorScript, sendTo(url));
const lines = results.map(({ answer }, index) => JSON.stringify(toErrorLine(errorScript[index]!, answer)));
writeFileSync(new URL('answers.json', import.meta.url), `[\n${lines.join(',\n')}\n]\n`);
