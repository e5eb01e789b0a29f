// A crowd of autobahn connections in one page, each with a subscription. They come back by themselves: nothing here asks
// them to. Every function answers with something that JSON can say; test/support/crowds.ts calls them.

/* global autobahn */
const members = [];

class Member {
  authids = [];
  events = [];
  #onEnd;
  ended = new Promise((resolve) => (this.#onEnd = resolve));

  constructor(topic) {
    this.connection = new autobahn.Connection({ url: `ws://${location.host}/ws`, realm: 'realm1', max_retries: -1 });
    this.connection.onopen = (session, { authid }) => {
      this.authids.push(authid);
      session.subscribe(topic, ([value]) => {
        this.events.push(value);
        if (value === 'end') this.#onEnd();
      });
    };
    this.connection.open();
  }
}

globalThis.crowd = {
  open({ topic, size }) {
    for (let i = 0; i < size; i++) members.push(new Member(topic));
  },
  /** @returns what each of them was told, and who each of them was, when all have got the end */
  async reports() {
    await Promise.all(members.map(({ ended }) => ended));
    return members.map(({ authids, events }) => ({ authids, events }));
  },
};
