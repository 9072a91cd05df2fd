import type { Decision, EntityRequest, HistoryEvent } from '../model.ts';

/**
 * The protocol between the engine and the functions' SDK. durable-functions 3 uses JSON texts (`json-codec.ts`); version
 * 4 uses protobuf, which would be a second implementation of this interface.
 */
export interface WireCodec {
  /**
   * Encodes events as one piece of the `history` of an orchestration trigger. `joinHistory` joins the pieces of
   * successive turns, so that a turn encodes only what is new.
   */
  encodeHistory(events: readonly HistoryEvent[], isPlayed: boolean): string;
  joinHistory(pieces: readonly string[]): string;
  encodeOrchestrationTrigger(trigger: OrchestrationTrigger): string;
  /** @throws AppError UNPROCESSABLE for a malformed reply */
  decodeOrchestratorReply(reply: unknown): Decision;
  /** Reads the state from the message of a thrown error; without one it is a plain failure. */
  decodeOrchestratorError(error: unknown): Decision;
  /** The result of an activity as JSON text; null for none. */
  encodeActivityResult(value: unknown): string | null;
  encodeEntityTrigger(trigger: EntityTrigger): string;
  /** @throws AppError UNPROCESSABLE for a malformed reply */
  decodeEntityReply(reply: unknown, batchSize: number): EntityReply;
  /** The input of the event that answers a call from an orchestration. */
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
