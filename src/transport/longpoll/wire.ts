/**
 * WAMP over HTTP long-poll (section "HTTP Longpoll Transport"): the messages of the client come with its posts, and ours wait until it
 * polls. It lives from `/open` to the end of the session, whatever becomes of the sockets below:
 *
 *     open --the client closes--> gone
 *       |--we end it--> ending: what was sent is still fetched --/close, 10 s--> gone
 *       |                 +--where the client is to come back, as soon as all is fetched: 503--> gone
 *       |                      (where the node stops, by the next poll: until then it can still ask)
 *       +--cut, or no request for `session_timeout`--> gone
 *
 * An open poll is a sign of life. Messages are taken from the queue only for somebody who waits, and are put back where the answer did
 * not leave. It knows no HTTP.
 */
import { websocketCodec } from '../websocket/framing.js';
import { WampConnection } from '../connection.js';
import { flusher } from '../outbox/flusher.js';
import { MessageQueue } from './queue.js';
import { placeReaderOf } from './place.js';
import { SendOrder } from './order.js';
import type { ClientInfo } from '../../auth/method.js';
import type { Serializer } from '../../serializer/serializer.js';
import type { CloseCause, TransportFacts } from '../../session/transport.js';
import type { RouterMessage } from '../../wamp/message.js';
import type { Fault } from '../endings.js';
import type { Flushable } from '../outbox/flusher.js';
import type { TransportHost } from '../transport-host.js';
import type { MessageSender, Wire } from '../wire.js';
import type { Channel, ChannelOwner } from './channel.js';
import type { After } from './order.js';
import type { Poll, PollEnd, Post, PostEnd } from './requests.js';

/** What was agreed with `/open`. */
export interface LongPollTerms {
  readonly channel: Channel;
  readonly serializer: Serializer;
  readonly client: ClientInfo;
  readonly facts: TransportFacts;
  /** How many messages may wait for the client; 0 is no limit. */
  readonly maxQueued: number;
  readonly after: After;
}

/** Who knows it by its id, and watches over its time. */
export interface LongPollKeeper {
  /** A request is under way from now on. */
  busy(wire: LongPollWire): void;
  /** None is any more. */
  idle(wire: LongPollWire): void;
  /** A poll waits from now on. */
  polls(wire: LongPollWire): void;
  /** It is over: its id means nothing any more. */
  gone(wire: LongPollWire): void;
}

/** So much goes into one answer of a batched serializer, if a message is not larger. */
const MAX_BATCH_BYTES = 1024 * 1024;

/** Ends that pass: the client is to come back, which it does when the connection is lost. */
const PASSING: ReadonlySet<CloseCause | Fault> = new Set<CloseCause | Fault>([
  'system_shutdown',
  'fenced',
  'timeout',
  'unavailable',
  'too_many_large',
]);

/** One for each client. */
export class LongPollWire implements Wire, MessageSender, Flushable, ChannelOwner {
  readonly connection: WampConnection;
  readonly facts: TransportFacts;
  isPaused = false;
  readonly #channel: Channel;
  readonly #host: TransportHost;
  readonly #keeper: LongPollKeeper;
  readonly #serializer: Serializer;
  readonly #maxQueued: number;
  readonly #queue = new MessageQueue();
  readonly #order: SendOrder;
  #state: 'open' | 'ending' | 'gone' = 'open';
  #isPassing = false;
  /** A client that does not poll at the moment is told of the end by its next poll. */
  #awaitsPoll = false;
  /** Who waits for messages. */
  #poll: Poll | undefined;
  /** Whose answer is under way. */
  #answered: Poll | undefined;
  #isEnlisted = false;
  /** What came while nothing was read. */
  #held: Post[] = [];
  /** What was not answered yet, in the order in which it came. */
  readonly #posts = new Set<Post>();
  /** How many requests are under way. */
  #requests = 0;

  constructor(terms: LongPollTerms, host: TransportHost, keeper: LongPollKeeper) {
    const { channel, serializer, client, facts, maxQueued, after } = terms;
    this.facts = facts;
    this.#channel = channel;
    this.#host = host;
    this.#keeper = keeper;
    this.#serializer = serializer;
    this.#maxQueued = maxQueued;
    this.#order = new SendOrder({
      placeOf: placeReaderOf(serializer.type),
      release: (post) => this.#read(post),
      after,
    });
    channel.owner = this;
    const codec = websocketCodec(serializer, false);
    this.connection = new WampConnection(
      this,
      { socket: channel, client, codec, sender: this, checksUtf8: true },
      host,
    );
    keeper.idle(this);
  }

  // What the client asks for.

  /** Takes a request for messages. One that waits already has its answer: there is none. */
  poll(poll: Poll): void {
    if (this.#state === 'gone') return poll.end('gone');
    this.#begin();
    this.#endPoll('nothing');
    this.#poll = poll;
    this.#keeper.polls(this);
    if (this.#queue.count > 0) this.#enlist();
    else this.#dismiss();
  }

  /** A poll that waited, or whose answer was under way, has lost its client. */
  pollLeft(poll: Poll): void {
    if (this.#poll !== poll) return;
    this.#poll = undefined;
    this.#end();
  }

  /** Nothing has come for a poll in its time, or there is something else to tell. */
  endPoll(): void {
    this.#endPoll('nothing');
  }

  /** A message is on its way, which is a sign of life. {@link arrived} follows, whatever becomes of it. */
  arrives(): void {
    this.#begin();
  }

  arrived(): void {
    this.#end();
  }

  /** Takes a message, or a batch. */
  post(post: Post): void {
    if (this.#state !== 'open') return post.answer(this.#endOfLatePosts);
    this.#begin();
    this.#posts.add(post);
    this.#order.take(post);
  }

  /**
   * The client of a message has hung up. One that waits because nothing is read is dropped: otherwise a client that hangs up again and
   * again would have us keep as much as it likes.
   */
  postLeft(post: Post): void {
    const at = this.#held.indexOf(post);
    if (at === -1) return;
    this.#held.splice(at, 1);
    this.#answer(post, 'taken');
  }

  /** The client ends the connection: behind what it has sent. */
  close(): void {
    if (this.#state === 'open') {
      this.#order.flush();
      for (const post of this.#held.splice(0)) this.#work(post);
    }
    this.#finish('nothing');
  }

  // What the connection asks for.

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    while (!this.isPaused) {
      const next = this.#held.shift();
      if (next === undefined) return;
      this.#work(next);
    }
  }

  stopReading(): void {
    this.#order.drop();
    this.#held = [];
  }

  end(cause: CloseCause | Fault, text: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#awaitsPoll = cause === 'system_shutdown';
    // It has been told by GOODBYE, answers, and closes.
    this.#isPassing = PASSING.has(cause) && !(this.#awaitsPoll && this.connection.hasSaidGoodbye);
    this.stopReading();
    if (cause === 'protocol_violation') this.#answerPosts('refused', text);
    else this.#answerPosts(this.#endOfLatePosts);
    // There is no word for it.
    if (this.#queue.count === 0 && cause === 'too_large') return this.#finish('gone');
    if (this.#dismiss()) return;
    this.#host.awaitClose(this.connection);
    this.#enlist();
  }

  evict(text: string): void {
    this.#finish('unavailable', text);
  }

  terminate(): void {
    this.#finish(this.#isPassing ? 'unavailable' : 'gone');
  }

  /** There are no pings. */
  pongFrame(payload: Buffer): Buffer {
    return payload;
  }

  /** No message is too large, and what a serializer cannot write the session answers. */
  notSent(_message: RouterMessage, error: unknown): void {
    throw error;
  }

  // What is sent.

  /** In bytes; with those of an answer that has not left. */
  get bufferedAmount(): number {
    return this.#queue.bytes;
  }

  send(message: Buffer): Buffer | undefined {
    if (this.#state !== 'open') return undefined;
    if (this.#maxQueued > 0 && this.#queue.count >= this.#maxQueued) {
      this.connection.giveUp({ maxQueuedMessages: this.#maxQueued });
      return undefined;
    }
    const kept = this.#queue.push(message, this.#poll !== undefined);
    this.#enlist();
    return kept;
  }

  /** At the end of the turn: gives the poll that waits what there is for it. */
  flush(): number {
    this.#isEnlisted = false;
    const poll = this.#poll;
    if (poll?.isOpen !== true || this.#queue.isTaken || this.#queue.count === 0) return 0;
    this.#poll = undefined;
    this.#answered = poll;
    const messages = this.#queue.take(this.#serializer.split === undefined ? 0 : MAX_BATCH_BYTES);
    poll.send(messages, (isSent) => this.#left(isSent));
    return messages.reduce((bytes, { length }) => bytes + length, 0);
  }

  /** The answer to a poll has left, or its client has. */
  #left(isSent: boolean): void {
    this.#answered = undefined;
    if (isSent) this.#queue.sent();
    else this.#queue.putBack();
    this.#end();
    if (this.#queue.count > 0) return this.#enlist();
    this.#channel.drained();
    this.#dismiss();
  }

  #enlist(): void {
    if (this.#isEnlisted || this.#poll === undefined) return;
    this.#isEnlisted = true;
    flusher.enlist(this);
  }

  #endPoll(how: PollEnd, text?: string): void {
    const poll = this.#poll;
    if (poll === undefined) return;
    this.#poll = undefined;
    poll.end(how, text);
    this.#end();
  }

  /** A message has its turn. */
  #read(post: Post): void {
    if (this.isPaused || this.#held.length > 0) this.#held.push(post);
    else this.#work(post);
  }

  #work(post: Post): void {
    const { inbox, isOpening } = this.connection;
    inbox.receive(post.data, this.#serializer.binary);
    // A verdict may take its time, and clients have a limit for each request. What has to wait itself pauses.
    if (isOpening && this.connection.isOpening && !this.isPaused) this.#answer(post, 'taken');
    else inbox.act(() => this.#answer(post, 'taken'));
  }

  /** Behind our own end the client is not listened to, which it may expect; where it is to come back it has to know what was lost. */
  get #endOfLatePosts(): PostEnd {
    if (this.#isPassing) return 'unavailable';
    return this.#state === 'gone' ? 'gone' : 'taken';
  }

  #answer(post: Post, how: PostEnd, text?: string): void {
    if (!this.#posts.delete(post)) return;
    post.answer(how, text);
    this.#end();
  }

  #answerPosts(how: PostEnd, text?: string): void {
    for (const post of [...this.#posts]) this.#answer(post, how, text);
  }

  /** A request is under way. */
  #begin(): void {
    if (this.#requests++ === 0) this.#keeper.busy(this);
  }

  /** It has its answer. */
  #end(): void {
    if (--this.#requests === 0 && this.#state !== 'gone') this.#keeper.idle(this);
  }

  /** Once it has fetched all, a client that is to come back is told so. @returns whether that is done. */
  #dismiss(): boolean {
    if (this.#state !== 'ending' || !this.#isPassing || this.#queue.count > 0) return false;
    if (this.#awaitsPoll && this.#poll === undefined) return false;
    this.#finish('unavailable');
    return true;
  }

  #finish(how: PollEnd, text?: string): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    this.#channel.destroyed = true;
    this.#endPoll(how, text);
    if (how !== 'nothing') this.#answered?.cut();
    this.#keeper.gone(this);
    // Not at once: a message may be being routed.
    queueMicrotask(() => {
      this.connection.closed();
      this.#answerPosts(how === 'nothing' ? 'taken' : how, text);
      this.#queue.clear();
    });
  }
}
