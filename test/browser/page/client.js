// autobahn as a page uses it, with plain data in and out, so that a test outside of the browser can drive it.
// Every function takes one object and answers with something that JSON can say; test/support/browser.ts calls them.

/* global autobahn */
const RETRY_S = 0.05;

/** What came and has not been asked for, and who asked for what has not come. */
class Inbox {
  #items = [];
  #takers = [];

  put(item) {
    const taker = this.#takers.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  }

  take() {
    if (this.#items.length > 0) return this.#items.shift();
    return new Promise((resolve) => this.#takers.push(resolve));
  }
}

const joins = new Inbox();
const ends = new Inbox();
const events = new Inbox();
const subscriptions = new Map();
const registrations = new Map();
let connection;
let challenges = 0;

function outcomeOf(promise) {
  return promise.then(
    (value) => (value instanceof autobahn.Result ? { args: value.args, kwargs: value.kwargs } : { args: [value] }),
    ({ error, args, kwargs }) => ({ error, args, kwargs }),
  );
}

/** A WAMP error as an Error, which a test outside of the page can read. */
function asError({ error, args }) {
  throw new Error(`${error}: ${JSON.stringify(args)}`);
}

async function fetchTicket(url) {
  const answer = await fetch(url, { method: 'POST' });
  return (await answer.json()).ticket;
}

const behaviours = {
  echo: (args, kwargs) => new autobahn.Result(args, kwargs),
  fail: (args, kwargs) => {
    throw new autobahn.Error('com.example.error.refused', args, kwargs);
  },
};

globalThis.client = {
  /**
   * Connects and stays connected, also when the router said GOODBYE; `nextJoin` tells about every session, `nextEnd` about
   * the end of each. `authmethods` and `authid` go into HELLO, `secret` answers the challenges of WAMP-CRA and is the ticket, and a
   * ticket from `ticketUrl` answers all others. `url` is where the router is, if it is not where the page comes from; `search` the
   * query of the usual one; `transports` count instead of both.
   */
  open({ realm, secret, ticketUrl, search = '', url = `ws://${location.host}/ws${search}`, ...hello }) {
    connection = new autobahn.Connection({
      url,
      realm,
      max_retries: -1,
      initial_retry_delay: RETRY_S,
      max_retry_delay: RETRY_S,
      onchallenge: (_session, method, { challenge }) => {
        challenges++;
        if (method === 'ticket' && secret !== undefined) return secret;
        if (ticketUrl !== undefined) return fetchTicket(ticketUrl);
        return autobahn.auth_cra.sign(secret, challenge);
      },
      ...hello,
    });
    connection.onopen = (session, { authid, authrole, authmethod, authprovider }) =>
      joins.put({ sessionId: session.id, authid, authrole, authmethod, authprovider, challenges });
    connection.onclose = (_reason, { will_retry: willRetry, reason }) => {
      ends.put(reason);
      if (!willRetry) setTimeout(() => connection.open(), RETRY_S * 1000);
    };
    connection.open();
  },
  nextJoin: () => joins.take(),
  nextEnd: () => ends.take(),
  /** Ends the session; another one follows. */
  close: ({ reason }) => connection.close(reason),
  nextEvent: () => events.take(),
  /** In one answer: each question to the page has its price. */
  async nextEvents({ count }) {
    const taken = [];
    while (taken.length < count) taken.push(await events.take());
    return taken;
  },

  async subscribe({ topic }) {
    const handler = (args, kwargs, { topic: from }) => events.put({ topic: from, args, kwargs });
    subscriptions.set(topic, await connection.session.subscribe(topic, handler).catch(asError));
  },
  unsubscribe: ({ topic }) => connection.session.unsubscribe(subscriptions.get(topic)),
  async publish({ topic, args, kwargs, options }) {
    await connection.session.publish(topic, args, kwargs, { acknowledge: true, ...options }).catch(asError);
  },
  /** The numbers from 0 on, without a wait. Resolves when the router has acknowledged all. */
  async publishMany({ topic, count }) {
    const options = { acknowledge: true };
    const published = Array.from({ length: count }, (_, i) => connection.session.publish(topic, [i], {}, options));
    await Promise.all(published).catch(asError);
  },
  async register({ procedure, behaviour }) {
    registrations.set(procedure, await connection.session.register(procedure, behaviours[behaviour]).catch(asError));
  },
  async unregister({ procedure }) {
    await connection.session.unregister(registrations.get(procedure));
  },
  call: ({ procedure, args, kwargs }) => outcomeOf(connection.session.call(procedure, args, kwargs)),
};
