import type { ModelDescription } from '../serving/scorer.ts';

export interface InspectTask {
  /** Of a file on this machine. */
  readonly path: string;
}

/** What a model file is found to be. */
export interface InspectedFile {
  readonly serving:
    | { readonly status: 'ready' }
    | { readonly status: 'unservable'; readonly reason: string }
    | { readonly status: 'notChecked'; readonly reason: string };
  /** Left out when it is no ONNX model. */
  readonly signature?: Pick<ModelDescription, 'inputs' | 'outputs' | 'opsets' | 'irVersion' | 'producer'>;
}
