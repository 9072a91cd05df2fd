import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import rhea, { type AmqpError, type Connection, type EventContext, type Sender } from 'rhea';
import type { Clock } from '../../../shared/core/clock.ts';
import { serveDeliveries } from './delivery-link.ts';
import { Entity, type DeliverySettings } from './entity.ts';
import { answerManagement, fail, type Reply } from './management.ts';
import { decodeTransfer, type WireMessage } from './wire.ts';

export interface BrokerTopology {
  readonly queues: readonly string[];
  readonly topics: Readonly<Record<string, readonly string[]>>;
}

/** A fault of the next matching operation; it happens once. */
export type Fault =
  | { readonly on: 'send'; readonly reply: AmqpError }
  /** The connection breaks before the message is stored, or after that and before the acknowledgement. */
  | { readonly on: 'send'; readonly drop: 'before' | 'after' }
  /** The connection breaks in the middle of a transfer, after so many bytes. */
  | { readonly on: 'bytes'; readonly count: number }
  | { readonly on: 'settle'; readonly drop: 'after' }
  /** No answer is ever sent. */
  | { readonly on: 'send'; readonly hang: true }
  | { readonly on: 'manage'; readonly hang: true };

export interface PutToken {
  readonly audience: string;
  readonly type: string;
  readonly token: string;
}

/** 256 KB, the standard tier's limit. */
const maxMessageBytes = 262_144;

/**
 * A Service Bus namespace on the loopback interface, as far as our adapter needs it: SASL, `$cbs`, peek-lock links,
 * `$management`, dead-letter sub-queues, scheduled messages, batches. Plain TCP.
 */
export class AmqpBroker {
  readonly tokens: PutToken[] = [];
  /** Answers put-token; the default accepts anything. */
  isTokenValid: (token: PutToken) => boolean = () => true;
  readonly #queues = new Map<string, Entity>();
  readonly #topics = new Map<string, Entity[]>();
  readonly #claims = new WeakMap<Connection, Set<string>>();
  readonly #replies = new WeakMap<Connection, Map<string, Sender>>();
  readonly #sockets = new Set<Socket>();
  readonly #links = new Set<Sender>();
  readonly #faults: Fault[] = [];
  #server: Server | undefined;
  #port = 0;

  constructor(topology: BrokerTopology, settings: DeliverySettings, clock: Clock) {
    for (const name of topology.queues) this.#queues.set(name.toLowerCase(), new Entity(settings, clock));
    for (const [topic, subscriptions] of Object.entries(topology.topics)) {
      const entities = subscriptions.map((subscription) => {
        const entity = new Entity(settings, clock);
        this.#queues.set(`${topic}/subscriptions/${subscription}`.toLowerCase(), entity);
        return entity;
      });
      this.#topics.set(topic.toLowerCase(), entities);
    }
  }

  get port(): number {
    return this.#port;
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** Links that receive the next message. */
  get waitingReceivers(): number {
    return [...this.#links].filter((link) => link.is_open() && link.has_credit()).length;
  }

  /** On the same port as before, if there was one. */
  async start(): Promise<void> {
    const container = rhea.create_container({ id: 'broker', non_fatal_errors: [] });
    container.sasl_server_mechanisms.enable_anonymous();
    container.on('receiver_open', (context: EventContext) => this.#openReceiver(context));
    container.on('sender_open', (context: EventContext) => this.#openSender(context));
    container.on('message', (context: EventContext) => this.#onMessage(context));
    // Vanishing clients are what the tests exercise.
    for (const event of ['error', 'connection_error', 'protocol_error', 'disconnected'])
      container.on(event, () => {});
    // Options of links that connections inherit, which the typings of `listen` lack.
    const linkOptions = {
      receiver_options: { autoaccept: false, credit_window: 100, max_message_size: maxMessageBytes },
      sender_options: { autosettle: false, treat_modified_as_released: false },
    };
    this.#server = container.listen({ host: '127.0.0.1', port: this.#port, ...linkOptions });
    this.#server.on('connection', (socket: Socket) => this.#onSocket(socket));
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Messages stay; connections break. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    this.dropConnections();
    await closed;
  }

  async dispose(): Promise<void> {
    await this.stop();
    for (const entity of this.#queues.values()) entity.dispose();
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  failNext(...faults: readonly Fault[]): void {
    this.#faults.push(...faults);
  }

  /** Faults that have not happened yet. */
  get pendingFaults(): number {
    return this.#faults.length;
  }

  /** The messages of a queue or subscription, locked or not. */
  messageIds(path: string): string[] {
    const found = this.#queues.get(path.toLowerCase())?.peek(0, Number.MAX_SAFE_INTEGER) ?? [];
    return found.map(({ message }) => String(message['message_id']));
  }

  #onSocket(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    let seenBytes = 0;
    socket.on('data', (chunk: Buffer) => {
      const [fault] = this.#faults;
      if (fault?.on !== 'bytes') return;
      seenBytes += chunk.length;
      if (seenBytes < fault.count) return;
      this.#faults.shift();
      socket.destroy();
    });
  }

  /** A sender attaches. */
  #openReceiver({ connection, receiver }: EventContext): void {
    const address = receiver!.target.address;
    receiver!.set_target({ address });
    receiver!.set_source({ address: '' });
    if (address === '$cbs') return;
    const problem = this.#checkClaim(connection, address) ?? this.#checkTarget(address);
    if (problem !== undefined) receiver!.close(problem);
  }

  /** A receiver attaches. */
  #openSender({ connection, sender }: EventContext): void {
    const address = sender!.source.address;
    sender!.set_source({ address });
    if (address === '$cbs' || isManagement(address)) {
      const replies = this.#replies.get(connection) ?? new Map<string, Sender>();
      this.#replies.set(connection, replies.set(sender!.name, sender!));
      const problem = address === '$cbs' ? undefined : this.#checkTarget(address);
      if (problem !== undefined) sender!.close(problem);
      return;
    }
    const entity = this.#find(address);
    const problem = this.#checkClaim(connection, address);
    if (entity === undefined || problem !== undefined) return sender!.close(problem ?? notFound(address));
    this.#links.add(sender!);
    serveDeliveries(sender!, entity, () => {
      if (this.#takeFault('settle') === undefined) return 'reply';
      this.dropConnections();
      return 'silence';
    });
  }

  #onMessage(context: EventContext): void {
    const { connection, receiver } = context;
    const delivery = context.delivery!;
    const address = receiver!.target.address;
    const messages = decodeTransfer(context);
    const [request] = messages;
    if (request !== undefined && address === '$cbs') {
      delivery.accept();
      return this.#reply(connection, request, this.#putToken(connection, request));
    }
    if (request !== undefined && isManagement(address)) {
      delivery.accept();
      if (this.#takeFault('manage') !== undefined) return;
      const entity = this.#find(address.slice(0, -'/$management'.length));
      const reply = entity ? answerManagement(entity, request) : fail(404, 'amqp:not-found', 'gone');
      return this.#reply(connection, request, reply);
    }
    const fault = this.#takeFault('send');
    if (fault !== undefined && 'hang' in fault) return;
    if (fault !== undefined && 'reply' in fault) return delivery.reject(fault.reply);
    if (fault?.drop === 'before') return this.dropConnections();
    this.#store(address, messages);
    if (fault?.drop === 'after') return this.dropConnections();
    delivery.accept();
  }

  #store(address: string, messages: readonly WireMessage[]): void {
    const queue = this.#queues.get(address.toLowerCase());
    const targets = queue === undefined ? (this.#topics.get(address.toLowerCase()) ?? []) : [queue];
    for (const message of messages) {
      const annotations = message['message_annotations'] as Record<string, unknown> | undefined;
      const scheduledFor = annotations?.['x-opt-scheduled-enqueue-time'];
      for (const target of targets)
        target.enqueue(message, scheduledFor === undefined ? 0 : Number(scheduledFor));
    }
  }

  #putToken(connection: Connection, request: WireMessage): Reply {
    const { name, type } = request['application_properties'] as { name: string; type: string };
    const token = { audience: name, type, token: String(request['body']) };
    this.tokens.push(token);
    if (!this.isTokenValid(token))
      return { application_properties: { 'status-code': 401, 'status-description': 'InvalidSignature' } };
    const claims = this.#claims.get(connection) ?? new Set<string>();
    this.#claims.set(connection, claims.add(name.replace(/^sb:\/\/[^/]*\//, '').toLowerCase()));
    return { application_properties: { 'status-code': 202, 'status-description': 'Accepted' } };
  }

  #reply(connection: Connection, request: WireMessage, reply: Reply): void {
    const sender = this.#replies.get(connection)?.get(String(request['reply_to']));
    const message = { body: '', ...reply, correlation_id: request['message_id'] };
    sender?.send(rhea.message.encode(message), undefined, 0);
  }

  #checkClaim(connection: Connection, address: string): AmqpError | undefined {
    const claims = [...(this.#claims.get(connection) ?? [])];
    if (claims.some((claim) => claim.endsWith(address.toLowerCase()))) return undefined;
    return { condition: 'amqp:unauthorized-access', description: `Unauthorized access to '${address}'.` };
  }

  #checkTarget(address: string): AmqpError | undefined {
    const path = address.replace(/\/\$management$/i, '');
    return this.#find(path) || this.#topics.has(path.toLowerCase()) ? undefined : notFound(address);
  }

  #find(address: string): Entity | undefined {
    const path = address.toLowerCase();
    if (!path.endsWith('/$deadletterqueue')) return this.#queues.get(path);
    return this.#queues.get(path.slice(0, -'/$deadletterqueue'.length))?.deadLetters;
  }

  #takeFault<K extends Fault['on']>(on: K): Extract<Fault, { on: K }> | undefined {
    if (this.#faults[0]?.on !== on) return undefined;
    return this.#faults.shift() as Extract<Fault, { on: K }>;
  }
}

function isManagement(address: string): boolean {
  return /\/\$management$/i.test(address);
}

function notFound(address: string): AmqpError {
  return {
    condition: 'amqp:not-found',
    description: `The messaging entity 'sb://loopback/${address}' could not be found.`,
  };
}
