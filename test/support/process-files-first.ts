import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By descending duration: files that start processes take longest. */
const folders = ['test/e2e', 'test/host', 'test/contract'];

/** Starts files that start processes first, so that no long file runs alone at the end of a run. */
export default class ProcessFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId, project }: TestSpecification): number => {
      const file = relative(project.config.root, moduleId);
      const index = folders.findIndex((folder) => file.startsWith(`${folder}/`));
      return index === -1 ? folders.length : index;
    };
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
