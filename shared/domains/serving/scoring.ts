import { AppError } from '../../core/errors.ts';
import type { ModelVersion } from '../registry/entities.ts';
import { readTensors } from './json/read-tensors.ts';
import { findModelSource, type ModelBlobs } from './model-source.ts';
import { showValues } from './model-value.ts';
import { packRowsInSlices, toInputs } from './pack-rows.ts';
import type { ModelDescription, OpenModel, Scorer } from './scorer.ts';
import { findTask, type Prediction } from './tasks/catalog.ts';
import { countElements, type Tensors } from './tensor.ts';
import { VersionLookup, type ScoreTarget, type VersionLookupDeps } from './version-lookup.ts';

export interface ScoringDeps extends VersionLookupDeps {
  readonly blobs: ModelBlobs;
  readonly scorer: Scorer;
}

export interface ScoringOptions {
  /** The most rows of one request. */
  readonly maxRows: number;
  /** The most elements of all inputs, or of all outputs, of one request. */
  readonly maxElements: number;
}

/** A loaded version, which stays loaded until it is disposed of. */
export interface ServedModel extends OpenModel {
  readonly version: ModelVersion;
}

/** Rows or inputs, one of the two. They are hostile: they are checked against the model. */
export interface ScoreRequest {
  /** Objects of columns. */
  readonly rows?: unknown;
  /** Tensors in JSON, by name (see `readTensors`). */
  readonly inputs?: unknown;
  /** Requests these outputs; when omitted, rows get predictions if the model's task has any. */
  readonly outputs?: readonly string[] | undefined;
}

export type ScoreAnswer = { readonly version: ModelVersion } & (
  { readonly predictions: readonly Prediction[] } | { readonly outputs: Tensors }
);

/** Answers requests with model versions. Every protocol goes through `open`. */
export class Scoring {
  readonly #deps: ScoringDeps;
  readonly #options: ScoringOptions;
  readonly #lookup: VersionLookup;

  constructor(deps: ScoringDeps, options: ScoringOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#lookup = new VersionLookup(deps);
  }

  /**
   * Loads the version that a request means.
   *
   * @throws AppError NOT_FOUND; UNPROCESSABLE when it cannot be served.
   */
  async open(target: ScoreTarget): Promise<ServedModel> {
    const version = await this.#lookup.find(target);
    const model = await this.#deps.scorer.open(findModelSource(this.#deps.blobs, version));
    return {
      version,
      description: model.description,
      run: (inputs, options) => model.run(inputs, options),
      [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
    };
  }

  /**
   * Answers rows by predictions and inputs by outputs.
   *
   * @throws AppError NOT_FOUND; INVALID_ARGUMENT that names row and column, or input and index; PAYLOAD_TOO_LARGE;
   *   UNPROCESSABLE when the model cannot be served, or not in this form.
   */
  async score(target: ScoreTarget, request: ScoreRequest): Promise<ScoreAnswer> {
    await using model = await this.open(target);
    return request.rows === undefined
      ? await this.#runInputs(model, request.inputs, request.outputs)
      : await this.#scoreRows(model, request.rows, request.outputs);
  }

  /**
   * Loads a version, so that one that cannot be served says so before it is deployed.
   *
   * @throws AppError as `open`.
   */
  async probe(target: ScoreTarget): Promise<ModelDescription> {
    await using model = await this.open(target);
    return model.description;
  }

  async #scoreRows(
    model: ServedModel,
    rows: unknown,
    wanted: readonly string[] | undefined,
  ): Promise<ScoreAnswer> {
    const { version, description } = model;
    const { signature, task, inputs } = description;
    if (signature === null)
      throw new AppError(
        'UNPROCESSABLE',
        `${version.model} version ${version.version} does not take rows: send its inputs as tensors, {"inputs": {…}}. It has ${showValues(inputs)}.`,
        { inputs },
      );
    const packed = await packRowsInSlices(signature, rows, { maxRows: this.#options.maxRows });
    const reader = findTask(task);
    if (wanted !== undefined || task.task === 'raw') {
      const names = pickOutputs(description, wanted);
      const tensors = await model.run(toInputs(packed), { outputs: names, rows: packed.rows });
      return { version, outputs: this.#checkSize(tensors) };
    }
    const outputs = await model.run(toInputs(packed), { outputs: reader.outputs(task), rows: packed.rows });
    return { version, predictions: reader.predict(task, outputs, packed.rows) };
  }

  async #runInputs(
    model: ServedModel,
    inputs: unknown,
    wanted: readonly string[] | undefined,
  ): Promise<ScoreAnswer> {
    const { version, description } = model;
    const { maxElements } = this.#options;
    const tensors = await readTensors(description.inputs, inputs, { maxElements });
    const outputs = await model.run(tensors, { outputs: pickOutputs(description, wanted) });
    return { version, outputs: this.#checkSize(outputs) };
  }

  /** @throws AppError UNPROCESSABLE */
  #checkSize(outputs: Tensors): Tensors {
    const { maxElements } = this.#options;
    let elements = 0;
    // An output of shape [1000000000, 0] has no elements, and a billion lists in JSON.
    for (const { shape } of outputs.values()) elements += countElements(shape.map((size) => size || 1));
    if (elements <= maxElements) return outputs;
    throw new AppError(
      'UNPROCESSABLE',
      `The outputs have ${elements} elements; one answer may have ${maxElements}: ask for fewer rows, or name the outputs that you want.`,
      { elements, maxElements },
    );
  }
}

/**
 * The names of the requested outputs: all of them unless the request names some.
 *
 * @throws AppError INVALID_ARGUMENT for an unknown name.
 */
function pickOutputs(
  { outputs }: ModelDescription,
  wanted: readonly string[] | undefined,
): readonly string[] {
  if (wanted !== undefined) {
    const unknown = wanted.find((name) => !outputs.some((output) => output.name === name));
    if (unknown === undefined) return [...new Set(wanted)];
    throw new AppError(
      'INVALID_ARGUMENT',
      `"${unknown.slice(0, 80)}" is not an output of this model; it has ${showValues(outputs)}.`,
    );
  }
  return outputs.map(({ name }) => name);
}
