import type { ModelValue } from '../../../domains/serving/model-value.ts';
import type { ModelDescription } from '../../../domains/serving/scorer.ts';

/** The job of the inspecting thread. */
export interface InspectJobs {
  readonly inspect: { readonly input: InspectTask; readonly output: InspectAnswer };
}

export interface InspectTask {
  /** A file on this machine. */
  readonly path: string;
  /** Whether the files with its weights are beside it by now. */
  readonly hasWeights: boolean;
}

/** A model with weight files is loaded only when they are beside it. */
export type InspectAnswer =
  | { readonly type: 'found'; readonly found: InspectedFile }
  | {
      readonly type: 'needsWeights';
      readonly files: readonly string[];
      readonly signature: InspectedFile['signature'];
    };

/** What was found in a model file. */
export interface InspectedFile {
  readonly serving:
    | { readonly status: 'ready' }
    | { readonly status: 'unservable'; readonly reason: string }
    | { readonly status: 'notChecked'; readonly reason: string };
  /** Left out when it is not an ONNX model. */
  readonly signature?: Pick<ModelDescription, 'opsets' | 'irVersion' | 'producer'> & {
    readonly inputs: readonly ShapedValue[];
    readonly outputs: readonly ShapedValue[];
  };
}

/** A free rank is shown as no dimensions. */
type ShapedValue = ModelValue & { readonly shape: NonNullable<ModelValue['shape']> };
