// The WAMP side of the page: one connection, kept alive for ever, and what is said over it.
//
//   demo.presence                  topic: [kind] {person, tab}   kind: hello (answer me), here (still here), leave
//   demo.chat                      topic: [] {id, person, text}
//   demo.notice                    topic: [text], retained; the text above the chat, empty for none; of members only
//   demo.wave.<person>.<tab>       procedure: {from} -> a thank-you; fails with demo.error.busy
//   demo.tab.<tab>                 procedure: [] -> the latest chat messages; also tells that the tab is alive
//
// Every connection offers the methods `cookie` and `anonymous`: a browser whose cookie remembers a login is in as a
// member, any other one as a visitor. To log in takes a connection of its own (login.js); then this one comes again.
//
// The node does not disclose which visitor published or called, so `person` is what the sender says it is. Fine among
// friends, and the reason why everything that arrives is checked for its shape and shown as text only. Of members it
// says who they are, and that counts: nobody else can be one.

import { isMember, isVisitor, memberId, publicId } from './identity.js';
import { logIn } from './login.js';
import { Roster } from './roster.js';

const HEARTBEAT_MS = 20_000;
const SILENT_MS = 50_000;
const ANSWER_MS = 3_000;
const ANSWER_JITTER_MS = 300;
const REOPEN_MS = 1_000;
const REFUSED_MS = 8_000;
const MAX_TEXT = 500;
const MAX_HISTORY = 100;

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {string} person
 * @property {string} text
 * @property {number} time when it came to be known here, ms
 * @property {boolean} sent whether the node has it
 * @property {boolean} [vouched] whether the node said that it is from this member; otherwise somebody retold it
 * @property {string} [problem] why the node did not take it
 */

/**
 * @typedef {object} RoomEvents what the room tells the page
 * @property {(state: 'connecting' | 'open' | 'waiting' | 'refused', why?: string) => void} onState
 * @property {(me: { id: string, change: 'first' | 'same' | 'other', before?: string }) => void} onJoined
 * @property {(others: { id: string, tabs: number }[], myTabs: number) => void} onPeople who is here
 * @property {(message: Message) => void} onMessage a new message, or one whose state changed
 * @property {(notice?: { text: string, person: string }) => void} onNotice what is to stand above the chat
 * @property {(from: string) => string} onWave shows a wave; returns the thank-you or throws an Error to refuse it
 */
export class Room {
  #autobahn;
  #url;
  #realm;
  #events;
  #connection;
  #session;
  #me;
  #tab;
  #roster = new Roster();
  // message id -> message, oldest first
  #messages = new Map();
  #hasHistory = false;
  #reopenTimer;
  // The session was ended by ourselves, in order to come again at once.
  #isRejoining = false;
  // How to give up on each call in flight: autobahn never settles the calls of a lost connection.
  #callsInFlight = new Set();

  /** @param {RoomEvents} events */
  constructor({ autobahn, url, realm, events }) {
    this.#autobahn = autobahn;
    this.#url = url;
    this.#realm = realm;
    this.#events = events;
    this.#connection = new autobahn.Connection({
      url,
      realm,
      authmethods: ['cookie', 'anonymous'],
      max_retries: -1,
      initial_retry_delay: 0.5,
      max_retry_delay: 6,
      // A refusal of ours is an answer to the caller, no fault of the page.
      on_user_error: (error, what) => error instanceof autobahn.Error || console.error(what, error),
    });
    this.#connection.onopen = (session, details) => this.#joined(session, details);
    this.#connection.onclose = (_reason, details) => this.#lost(details);
    setInterval(() => this.#heartbeat(), HEARTBEAT_MS);
  }

  /** The WAMP session, for those who like to play in the browser's console; undefined while there is none. */
  get session() {
    return this.#session;
  }

  /** Connects now, also in the middle of a pause between two attempts. */
  open() {
    clearTimeout(this.#reopenTimer);
    if (this.#connection.isConnected) return;
    this.#events.onState('connecting');
    this.#connection.open();
  }

  /** Logs this browser in, and comes again as the member. Rejects with an Error whose message can be shown. */
  async logIn(name, password) {
    await logIn({ autobahn: this.#autobahn, url: this.#url, realm: this.#realm, name, password });
    this.rejoin();
  }

  /** Ends the session and opens another one: the cookie says something else now. */
  rejoin() {
    this.#comeAgain('wamp.close.normal');
  }

  /** Makes the node forget the cookie. It ends the sessions of all tabs; each comes again, as a visitor. */
  logOut() {
    if (!this.#session?.isOpen) throw new Error('not connected at the moment');
    this.#comeAgain('wamp.close.logout');
  }

  /** Puts a text above everybody's chat; an empty one takes it away. The node takes it from members only. */
  async pin(text) {
    if (!this.#session?.isOpen) throw new Error('not connected at the moment');
    try {
      const options = { acknowledge: true, exclude_me: false, retain: true };
      await this.#session.publish('demo.notice', [text.slice(0, MAX_TEXT)], {}, options);
    } catch (error) {
      throw new Error(textOf(error), { cause: error });
    }
  }

  /** Says goodbye to the others: the tab is being closed. */
  leave() {
    this.#announce('leave');
  }

  /** Sends a chat message, at once or as soon as there is a connection. */
  say(text) {
    const message = { id: randomId(), person: this.#me, text: text.slice(0, MAX_TEXT), time: Date.now(), sent: false };
    this.#keep(message);
    this.#publish(message);
  }

  /** Waves at a person. @returns the thank-you text; rejects with an Error whose message can be shown. */
  async wave(person) {
    for (const tab of this.#roster.tabsOf(person)) {
      try {
        const thanks = await this.#call(`demo.wave.${person}.${tab}`, { from: this.#me });
        return String(thanks).slice(0, MAX_TEXT);
      } catch (error) {
        if (!isGone(error)) throw new Error(textOf(error), { cause: error });
        this.#forget(person, tab);
      }
    }
    throw new Error('they have just left');
  }

  /** Puts messages of an earlier page load back. */
  restore(messages) {
    for (const message of messages) this.#keepHeard(message);
  }

  #comeAgain(reason) {
    if (!this.#session?.isOpen) return;
    this.#announce('leave');
    this.#isRejoining = true;
    this.#connection.close(reason);
  }

  async #joined(session, details) {
    const before = this.#me;
    if (before !== undefined) this.#roster.left(before, this.#tab);
    this.#session = session;
    this.#me = publicId(details);
    this.#tab = String(session.id);
    this.#hasHistory = false;
    this.#roster.doubtAll();
    this.#heard(this.#me, this.#tab);
    this.#events.onNotice(undefined); // what is pinned now comes with the subscription
    const change = before === undefined ? 'first' : before === this.#me ? 'same' : 'other';
    try {
      await Promise.all([
        session.subscribe('demo.presence', ([kind], claim, event) => this.#onPresence(kind, claim, event)),
        session.subscribe('demo.chat', (_args, said, event) => this.#onChat(said, event)),
        session.subscribe('demo.notice', ([text], _kwargs, event) => this.#onNotice(text, event), {
          get_retained: true,
        }),
        session.register(`demo.wave.${this.#me}.${this.#tab}`, (_args, claim, call) => this.#onWave(claim, call)),
        session.register(`demo.tab.${this.#tab}`, () => [...this.#messages.values()].filter(({ sent }) => sent)),
      ]);
    } catch (error) {
      if (this.#session === session) this.#events.onState('refused', textOf(error));
      return;
    }
    if (this.#session !== session) return; // lost again meanwhile
    this.#events.onJoined({ id: this.#me, change, before });
    this.#events.onState('open');
    this.#announce('hello');
    for (const message of this.#messages.values()) if (!message.sent) this.#publish(message);
    setTimeout(() => this.#dropUnsure(session), ANSWER_MS);
  }

  #lost({ reason, will_retry: willRetry, message }) {
    this.#session = undefined;
    for (const giveUp of this.#callsInFlight) giveUp(new Error('the connection was lost'));
    // After an ABORT or GOODBYE autobahn gives up for good. A node that restarts says GOODBYE, so we do not.
    const refused = reason?.startsWith('wamp.error.') ?? false;
    const pause = this.#isRejoining ? 0 : refused ? REFUSED_MS : REOPEN_MS;
    this.#isRejoining = false;
    if (!willRetry) this.#reopenTimer = setTimeout(() => this.open(), pause);
    this.#events.onState(refused ? 'refused' : 'waiting', refused ? message || reason : undefined);
  }

  #onPresence(kind, claim, event) {
    const { tab } = claim;
    const person = senderOf(claim.person, event.publisher_authid, event.publisher_authrole);
    if (person === undefined || !isTab(tab)) return;
    if (kind === 'leave') return this.#forget(person, tab);
    this.#heard(person, tab);
    if (kind === 'hello') setTimeout(() => this.#announce('here'), Math.random() * ANSWER_JITTER_MS);
    else void this.#fetchHistory(tab);
  }

  #onChat({ id, person, text }, event) {
    const sender = senderOf(person, event.publisher_authid, event.publisher_authrole);
    this.#keepHeard({ id, person: sender, text, time: Date.now(), vouched: isMember(sender) });
  }

  #onNotice(text, { publisher_authid: authid, publisher_authrole: authrole }) {
    const person = memberId(authid, authrole);
    if (person !== undefined) this.#events.onNotice(isShortText(text, MAX_TEXT) ? { text, person } : undefined);
  }

  #onWave(claim, call) {
    const from = senderOf(claim.from, call.caller_authid, call.caller_authrole);
    if (from === undefined) throw new this.#autobahn.Error('wamp.error.invalid_argument', ['who are you?']);
    try {
      return this.#events.onWave(from);
    } catch (error) {
      throw new this.#autobahn.Error('demo.error.busy', [error.message]);
    }
  }

  /** Asks the first tab that answered for what was said before we came. */
  async #fetchHistory(tab) {
    if (this.#hasHistory) return;
    this.#hasHistory = true;
    try {
      const messages = await this.#call(`demo.tab.${tab}`);
      if (!Array.isArray(messages)) return;
      this.restore(messages.slice(-MAX_HISTORY).map((message) => ({ ...message, vouched: false })));
    } catch {
      this.#hasHistory = false; // that tab has gone; the next one that speaks is asked
    }
  }

  #announce(kind) {
    // Between a GOODBYE and the end of the connection there is a session that takes nothing any more.
    if (this.#session?.isOpen) this.#session.publish('demo.presence', [kind], { person: this.#me, tab: this.#tab });
  }

  #heartbeat() {
    if (!this.#session?.isOpen) return;
    this.#heard(this.#me, this.#tab);
    this.#announce('here');
    for (const { person, tab } of this.#roster.silent(Date.now(), SILENT_MS)) void this.#probe(person, tab);
  }

  /** A tab in the background may be too sleepy to speak, yet it answers calls; one that crashed does not. */
  async #probe(person, tab) {
    try {
      await this.#call(`demo.tab.${tab}`);
      this.#heard(person, tab);
    } catch (error) {
      if (isGone(error)) this.#forget(person, tab);
    }
  }

  async #publish(message) {
    const session = this.#session;
    if (!session?.isOpen) return;
    try {
      const { id, person, text } = message;
      await session.publish('demo.chat', [], { id, person, text }, { acknowledge: true });
      this.#keep({ ...message, sent: true });
    } catch (error) {
      this.#keep({ ...message, problem: textOf(error) });
    }
  }

  #keepHeard({ id, person, text, time, vouched }) {
    if (!(isVisitor(person) || isMember(person)) || !Number.isFinite(time)) return;
    if (!isShortText(id, 64) || !isShortText(text, MAX_TEXT) || this.#messages.has(id)) return;
    this.#keep({ id, person, text, time, sent: true, vouched: vouched === true });
  }

  #keep(message) {
    this.#messages.set(message.id, message);
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > MAX_HISTORY) this.#messages.delete(oldest);
    this.#events.onMessage(message);
  }

  async #call(procedure, kwargs = {}) {
    if (!this.#session?.isOpen) throw new Error('not connected at the moment');
    let giveUp;
    const lost = new Promise((_resolve, reject) => (giveUp = reject));
    this.#callsInFlight.add(giveUp);
    try {
      return await Promise.race([this.#session.call(procedure, [], kwargs), lost]);
    } finally {
      this.#callsInFlight.delete(giveUp);
    }
  }

  #heard(person, tab) {
    this.#roster.heard(person, tab, Date.now());
    this.#showPeople();
  }

  #forget(person, tab) {
    this.#roster.left(person, tab);
    this.#showPeople();
  }

  #showPeople() {
    const people = this.#roster.people();
    const mine = people.find(({ id }) => id === this.#me);
    this.#events.onPeople(
      people.filter((person) => person !== mine),
      mine?.tabs ?? 1,
    );
  }

  #dropUnsure(session) {
    if (this.#session !== session) return;
    this.#roster.dropUnsure();
    this.#showPeople();
  }
}

/** @returns who sent something: the member that the node names, else the visitor that the sender claims to be. */
function senderOf(claimed, authid, authrole) {
  return memberId(authid, authrole) ?? (isVisitor(claimed) ? claimed : undefined);
}

function isGone(error) {
  return error?.error === 'wamp.error.no_such_procedure' || error?.error === 'wamp.error.canceled';
}

function isTab(value) {
  return typeof value === 'string' && /^\d{1,16}$/.test(value);
}

function isShortText(value, max) {
  return typeof value === 'string' && value.length > 0 && value.length <= max;
}

/** What an error has to say to people: the text of a WAMP error, else its URI. */
function textOf(error) {
  const [text] = error?.args ?? [];
  return String(text ?? error?.error ?? error?.message ?? error).slice(0, 200);
}

/** Not crypto.randomUUID: that one does not exist on plain http from another host. */
function randomId() {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return [...words].map((word) => word.toString(16).padStart(8, '0')).join('');
}
