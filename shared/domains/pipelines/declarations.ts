import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { toFault } from '../../core/faults.ts';
import { refuse } from '../../core/validate.ts';
import type { Page, PageRequest } from '../../platform/storage/page.ts';
import type { Pipeline, PipelineView } from './entities.ts';
import type { Catalog } from './planning/plan-pipeline.ts';
import { readDeclaration } from './planning/read-declaration.ts';
import type { RunStore } from './run-store.ts';

export interface DeclarationsDeps {
  readonly store: Pick<RunStore, 'putPipeline' | 'getPipeline' | 'listPipelines'>;
  readonly catalog: Catalog;
  readonly clock: Clock;
}

/** The pipelines that users have declared. */
export class Declarations {
  readonly #deps: DeclarationsDeps;

  constructor(deps: DeclarationsDeps) {
    this.#deps = deps;
  }

  /**
   * Declares a pipeline, once everything about it has been checked.
   *
   * @param body unchecked JSON
   * @throws INVALID_ARGUMENT with every fault: its place, the nearest known name, what is known
   */
  async put(name: string, body: unknown, by: string): Promise<Pipeline> {
    const { store, catalog, clock } = this.#deps;
    const { body: checked, faults } = readDeclaration(name, body, catalog);
    if (faults) throw refuse('pipeline', faults);
    const pipeline: Pipeline = { name, ...checked, updatedAt: clock.now(), updatedBy: by };
    await store.putPipeline(pipeline);
    return pipeline;
  }

  /** @throws NOT_FOUND */
  async get(name: string): Promise<PipelineView> {
    const pipeline = await this.#deps.store.getPipeline(name);
    if (pipeline) return this.#toView(pipeline);
    throw new AppError('NOT_FOUND', `There is no pipeline "${name}".`, { pipeline: name });
  }

  async list(page: PageRequest): Promise<Page<PipelineView>> {
    const { items, ...rest } = await this.#deps.store.listPipelines(page);
    return { items: items.map((pipeline) => this.#toView(pipeline)), ...rest };
  }

  /** A declaration that an earlier build stored may have faults in this one. */
  #toView(pipeline: Pipeline): PipelineView {
    const { name, updatedAt: _, updatedBy: __, ...body } = pipeline;
    const { faults } = readDeclaration(name, body, this.#deps.catalog);
    return faults ? { ...pipeline, faults: faults.map(toFault) } : pipeline;
  }
}
