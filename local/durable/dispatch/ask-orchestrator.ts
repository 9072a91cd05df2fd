import type { FunctionRegistry } from '../identity.ts';
import type { Decision, HistoryEvent } from '../model.ts';
import type { DurableSettings } from '../settings.ts';
import type { Instance } from '../store/instance-store.ts';
import type { WireCodec } from '../wire/wire-codec.ts';

export interface OrchestratorAccess {
  readonly codec: WireCodec;
  readonly settings: DurableSettings;
  readonly registry: FunctionRegistry;
  readonly invoke: (functionName: string, input: string) => Promise<unknown>;
}

/**
 * Calls an instance's orchestrator with its history. Any failure (an unknown function, an error in its code, a
 * malformed reply) is returned as its decision.
 *
 * @param playedHistory the earlier turns, encoded
 * @param fresh the events of this turn
 */
export async function askOrchestrator(
  { codec, settings, registry, invoke }: OrchestratorAccess,
  instance: Instance,
  playedHistory: string,
  fresh: readonly HistoryEvent[],
): Promise<Decision> {
  const name = registry.find('orchestration', instance.name);
  const why = registry.whyUnknown('orchestration', instance.name);
  if (name === undefined || why !== null) return { kind: 'threw', message: why ?? instance.name };
  const trigger = codec.encodeOrchestrationTrigger({
    instanceId: instance.instanceId,
    parentInstanceId: instance.parent?.instanceId ?? null,
    input: instance.input,
    isReplaying: playedHistory !== '',
    history: codec.joinHistory([playedHistory, codec.encodeHistory(fresh, false)]),
    longTimerIntervalMs: settings.longTimerIntervalMs,
    maxShortTimerMs: settings.maxShortTimerMs,
  });
  let reply: unknown;
  try {
    reply = await invoke(name, trigger);
  } catch (error) {
    return decodeSafely(() => codec.decodeOrchestratorError(error));
  }
  return decodeSafely(() => codec.decodeOrchestratorReply(reply));
}

function decodeSafely(decode: () => Decision): Decision {
  try {
    return decode();
  } catch (error) {
    return { kind: 'threw', message: error instanceof Error ? error.message : String(error) };
  }
}
