import { writeFileSync } from 'node:fs';
import { writeModel } from '../../../shared/adapters/onnx/files/write-model.ts';
import {
  fitGolden,
  goldenCases,
  goldenMetadata,
  goldenSignature,
} from '../../support/training/golden-logistic.ts';

/**
 * Writes the golden model, whose bytes every machine must reproduce, and the requests that test/clients/onnx
 * scores with it. Run after an intended change of the format: `node test/golden/onnx/generate.ts`, then
 * `python test/clients/onnx/run.py` on the two files.
 */
const write = (name: string, data: string | Uint8Array) =>
  writeFileSync(new URL(name, import.meta.url), data);
write('logistic.onnx', writeModel(await fitGolden(), goldenSignature, goldenMetadata));
write('logistic.cases.json', `${JSON.stringify(goldenCases)}\n`);
