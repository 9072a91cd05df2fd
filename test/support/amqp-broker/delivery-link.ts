import rhea, { type Delivery, type EventContext, type Sender } from 'rhea';
import type { Entity, Locked, Outcome, Stored } from './entity.ts';
import { accepted, lockTokenToTag, rejected } from './wire.ts';

/** A stored message on the wire. */
export function toWire({ message, sequence, enqueuedAt, failures }: Stored, lockedUntil?: number) {
  return {
    ...message,
    delivery_count: failures,
    message_annotations: {
      'x-opt-enqueued-time': new Date(enqueuedAt),
      'x-opt-sequence-number': rhea.types.wrap_long(sequence),
      ...(lockedUntil !== undefined && { 'x-opt-locked-until': new Date(lockedUntil) }),
    },
  };
}

/** Feeds a receiver's link from an entity: as many messages as it has credit for; on drain it uses up the rest. */
export function serveDeliveries(sender: Sender, entity: Entity, onSettle: () => 'reply' | 'silence'): void {
  const tokens = new Map<Delivery, string>();
  let isDraining = false;
  let isScheduled = false;
  // One per macrotask: rhea decreases credit only when it writes.
  const pump = () => {
    isScheduled = false;
    if (!sender.is_open()) return;
    if (sender.sendable()) {
      const taken = entity.take();
      if (taken !== undefined) {
        tokens.set(deliver(sender, taken), taken.token);
        return schedule();
      }
    }
    if (isDraining) {
      isDraining = false;
      answerDrain(sender);
    }
  };
  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(pump);
  };
  const stopListening = entity.onReady(schedule);
  const settle = ({ delivery }: EventContext, outcome: Outcome) => {
    const token = delivery === undefined ? undefined : tokens.get(delivery);
    if (delivery === undefined || token === undefined) return;
    tokens.delete(delivery);
    const isHeld = entity.settle(token, outcome);
    if (onSettle() === 'silence') return;
    delivery.update(true, isHeld ? accepted() : rejected(lockLost));
  };
  sender.on('sender_flow', schedule);
  sender.on('sender_draining', () => {
    isDraining = true;
    schedule();
  });
  sender.on('accepted', (context: EventContext) => settle(context, { kind: 'complete' }));
  sender.on('modified', (context: EventContext) => settle(context, { kind: 'abandon' }));
  sender.on('released', (context: EventContext) => settle(context, { kind: 'abandon' }));
  sender.on('rejected', (context: EventContext) => settle(context, readRejection(context)));
  sender.on('sender_close', stopListening);
  sender.connection.setMaxListeners(0);
  sender.connection.on('disconnected', stopListening);
}

export const lockLost = {
  condition: 'com.microsoft:message-lock-lost',
  description:
    'The lock supplied is invalid. Either the lock expired, or the message has already been removed.',
};

function deliver(sender: Sender, taken: Locked): Delivery {
  const message = rhea.message.encode(toWire(taken, taken.lockedUntil));
  return sender.send(message, lockTokenToTag(taken.token), 0);
}

function readRejection({ delivery }: EventContext): Outcome {
  const error = delivery?.remote_state?.['error'] as
    { condition: string; info: { DeadLetterReason: string; DeadLetterErrorDescription: string } } | undefined;
  if (error?.condition !== 'com.microsoft:dead-letter') return { kind: 'abandon' };
  const { DeadLetterReason: reason, DeadLetterErrorDescription: description } = error.info;
  return { kind: 'deadLetter', reason, description };
}

/** Members that rhea's typings lack. */
interface Internals {
  _get_drain?: () => boolean;
  readonly connection: { _register(): void };
}

/**
 * Signals that the credit is used up. rhea does so only for leftover credit, but the service also does so when messages
 * used the last of it. Outside an event, rhea must be triggered to write.
 */
function answerDrain(sender: Sender): void {
  const internals = sender as unknown as Internals;
  if (!sender.has_credit())
    internals._get_drain = () => {
      delete internals._get_drain;
      return true;
    };
  sender.set_drained(true);
  internals.connection._register();
}
