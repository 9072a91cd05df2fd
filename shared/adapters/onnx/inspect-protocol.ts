import type { ModelDescription } from '../../domains/serving/scorer.ts';

export interface InspectTask {
  /** Of a file on this machine. */
  readonly path: string;
  /** Whether the files that it keeps weights in are beside it by now. */
  readonly hasWeights: boolean;
}

/** With weight files it is not loaded before they are beside it. */
export type InspectAnswer =
  | { readonly type: 'found'; readonly found: InspectedFile }
  | {
      readonly type: 'needsWeights';
      readonly files: readonly string[];
      readonly signature: InspectedFile['signature'];
    };

/** What a model file is found to be. */
export interface InspectedFile {
  readonly serving:
    | { readonly status: 'ready' }
    | { readonly status: 'unservable'; readonly reason: string }
    | { readonly status: 'notChecked'; readonly reason: string };
  /** Left out when it is no ONNX model. */
  readonly signature?: Pick<ModelDescription, 'inputs' | 'outputs' | 'opsets' | 'irVersion' | 'producer'>;
}
