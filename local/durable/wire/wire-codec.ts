import type { Decision, EntityRequest, HistoryEvent } from '../model.ts';

/**
 * How the engine speaks with the functions' SDK. durable-functions 3 takes JSON texts (`json-codec.ts`); version 4
 * speaks protobuf, which is one more implementation of this interface.
 */
export interface WireCodec {
  /**
   * Events as one piece of the `history` of an orchestration trigger. Pieces of successive turns are joined by
   * `joinHistory`, so that a turn only encodes what is new.
   */
  encodeHistory(events: readonly HistoryEvent[], isPlayed: boolean): string;
  joinHistory(pieces: readonly string[]): string;
  encodeOrchestrationTrigger(trigger: OrchestrationTrigger): string;
  /** @throws AppError UNPROCESSABLE when the reply is not of the protocol. */
  decodeOrchestratorReply(reply: unknown): Decision;
  /** A thrown error carries the state in its message; without one it is a plain failure. */
  decodeOrchestratorError(error: unknown): Decision;
  /** The answer of an activity as a JSON text, null for none. */
  encodeActivityResult(value: unknown): string | null;
  encodeEntityTrigger(trigger: EntityTrigger): string;
  /** @throws AppError UNPROCESSABLE when the reply is not of the protocol. */
  decodeEntityReply(reply: unknown, batchSize: number): EntityReply;
  /** The input of the event that answers an orchestration's call. */
  encodeEntityResponse(result: EntityOperationResult): string;
}

interface OrchestrationTrigger {
  readonly instanceId: string;
  readonly parentInstanceId: string | null;
  /** JSON text, null when started without input. */
  readonly input: string | null;
  readonly isReplaying: boolean;
  /** An encoded piece. */
  readonly history: string;
  readonly longTimerIntervalMs: number;
  readonly maxShortTimerMs: number;
}

interface EntityTrigger {
  readonly name: string;
  readonly key: string;
  readonly exists: boolean;
  /** JSON text. */
  readonly state: string | null;
  readonly batch: readonly EntityRequest[];
}

interface EntityOperationResult {
  readonly isError: boolean;
  /** JSON text. */
  readonly result: string | null;
}

export interface EntityReply {
  readonly exists: boolean;
  readonly state: string | null;
  /** One per request of the batch, in its order. */
  readonly results: readonly EntityOperationResult[];
  readonly signals: readonly {
    readonly entityId: string;
    readonly operation: string;
    readonly input: string | null;
  }[];
}
