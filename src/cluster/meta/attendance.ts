/**
 * Who is on the other nodes of a realm: known for as long as somebody on this node wants to hear who leaves (`wamp.session.on_leave`),
 * because nobody else can tell it when a node dies.
 *
 *     off --begin--> on --rest--> resting, for some seconds --> off
 *                     ^--begin-------|
 *
 * It hears the on_join and on_leave of all nodes, and asks each of them for its sessions (`roll.ts` answers). Messages between two nodes
 * keep their order, and it subscribes before it asks: so a session in an answer has left only if its on_leave comes behind that, or is
 * lost. When frames may have been lost it asks anew.
 *
 * A session that is not there any more and whose on_leave did not come is told to have left: to the subscribers on this node only, since
 * every node with subscribers does the same. So it is with all sessions of a node that has gone, and with those that a new answer of
 * their node lacks. Both wait for one heartbeat, in which an on_leave that is on its way comes.
 */
import { isDict } from '../../wamp/payload.js';
import { askWhileThere } from '../asking.js';
import { keyOf } from '../node-ref.js';
import { publicationIn } from '../realm-events.js';
import { uriTokens } from '../subjects.js';
import { ROLL } from './roll.js';
import type { Engine } from '../../engine/engine.js';
import type { Scheduler } from '../../router/observer.js';
import type { RouterSession } from '../../router/session.js';
import type { Frame } from '../frame.js';
import type { Membership } from '../membership.js';
import type { NodeRef } from '../node-ref.js';
import type { Ask } from '../peers.js';

/** The meta events of sessions (section "Session Meta API"). */
const ON_JOIN = 'wamp.session.on_join';
export const ON_LEAVE = 'wamp.session.on_leave';

/** What others are told of a session that has left. */
export type Leaver = Pick<RouterSession, 'authid' | 'authrole' | 'id'>;

export interface AttendanceDeps {
  readonly engine: Pick<Engine, 'subscribe'>;
  /** What the subjects of the realm's publications begin with, see `Subjects.events`. */
  readonly prefix: string;
  readonly membership: Pick<Membership, 'others'>;
  /** @returns the node that gave a session id, if it is there: this one, too. */
  readonly nodeOf: (id: number) => NodeRef | undefined;
  readonly self: NodeRef;
  /** Asks about this realm. */
  readonly ask: Ask;
  /** Between two heartbeats, in milliseconds. */
  readonly heartbeatMs: number;
  readonly scheduler: Scheduler;
  /** Whether this node may serve. */
  readonly mayServe: () => boolean;
  /** Tells the subscribers on this node that a session has left. */
  readonly tell: (leaver: Leaver) => void;
}

/** So long it goes on without anybody who wants to know: to make a list costs more than to keep it for a while. */
const REST_MS = 10_000;

/** Between two questions to a node that gave no answer. */
const RETRY_MS = 250;

/** In one turn of the event loop so much is told, at most. */
const SLICE_MS = 10;
const SLICE = 1000;

/** A session of another node. */
interface Present extends Leaver {
  readonly roster: Roster;
  /** The number of the last list that was being made when it was heard of. */
  seen: number;
}

/** The sessions of one node. */
interface Roster {
  readonly key: string;
  readonly people: Map<number, Present>;
}

/** The sessions of nodes that are not known yet: an on_join may come before the news of its node. */
const UNPLACED = '';

export class Attendance {
  readonly #deps: AttendanceDeps;
  readonly #present = new Map<number, Present>();
  // the key of a node -> its sessions
  readonly #rosters = new Map<string, Roster>();
  // the key of a node that is being asked -> whether it is to be asked once more
  readonly #asked = new Map<string, boolean>();
  readonly #ends: (() => void)[] = [];
  // timers
  readonly #due = new Set<() => void>();
  #stopRest: () => void = () => undefined;
  /** Another one each time that it begins; 0 while it is off. */
  #era = 0;
  #eras = 0;
  #lists = 0;

  constructor(deps: AttendanceDeps) {
    this.#deps = deps;
  }

  /** How many sessions of other nodes are known. */
  get size(): number {
    return this.#present.size;
  }

  /** Somebody on this node wants to know who leaves. Harmless where it is on. */
  begin(): void {
    this.#stopRest();
    if (this.#era !== 0) return;
    this.#era = ++this.#eras;
    const { engine, prefix } = this.#deps;
    for (const topic of [ON_JOIN, ON_LEAVE]) {
      this.#ends.push(engine.subscribe(prefix + uriTokens(topic), ({ data }) => this.#heard(topic, data)));
    }
    this.askAll();
  }

  /** Nobody on this node wants to know any more. */
  rest(): void {
    this.#stopRest();
    if (this.#era !== 0) this.#stopRest = this.#deps.scheduler.after(REST_MS, () => this.end());
  }

  /** Messages of all nodes may have been lost: the link of this one was down. */
  askAll(): void {
    for (const node of this.#deps.membership.others) this.ask(node);
  }

  /** A node has joined, or something of it may have been lost. */
  ask(node: NodeRef): void {
    if (this.#era === 0) return;
    const key = keyOf(node);
    if (this.#asked.has(key)) return void this.#asked.set(key, true);
    void this.#askOne(node, key, this.#era);
  }

  /** A node has gone. One that left in good order has told its sessions to have left, and that is on its way. */
  forget(node: NodeRef): void {
    const key = keyOf(node);
    const roster = this.#rosters.get(key);
    this.#rosters.delete(key);
    if (roster !== undefined) this.#tellLeft(roster, Infinity);
  }

  /** This node has left the cluster, or the realm is gone; or it has rested long enough. */
  end(): void {
    this.#era = 0;
    this.#stopRest();
    for (const end of [...this.#ends.splice(0), ...this.#due]) end();
    this.#due.clear();
    this.#present.clear();
    this.#rosters.clear();
    this.#asked.clear();
  }

  #heard(topic: string, data: Uint8Array): void {
    const [first] = publicationIn(data)?.payload.args ?? [];
    if (topic === ON_LEAVE && typeof first === 'number') return this.#remove(this.#present.get(first));
    if (topic === ON_LEAVE || !isDict(first)) return;
    const { session: id, authid, authrole } = first;
    if (typeof id !== 'number' || typeof authid !== 'string' || typeof authrole !== 'string') return;
    const node = this.#deps.nodeOf(id);
    if (node !== undefined && keyOf(node) === keyOf(this.#deps.self)) return;
    this.#add({ id, authid, authrole }, node === undefined ? undefined : keyOf(node));
  }

  /** @param key of its node; undefined where that is not known. */
  #add({ id, authid, authrole }: Leaver, key: string | undefined): void {
    const known = this.#present.get(id);
    if (known !== undefined) {
      known.seen = this.#lists;
      const { roster } = known;
      // A session that stays while its node is away has an id of an earlier life: it is where the node said it is.
      if (roster.key === key || (key === undefined && this.#rosters.get(roster.key) === roster)) return;
      this.#remove(known);
    }
    const roster = this.#rosterOf(key ?? UNPLACED);
    const present = { id, authid, authrole, roster, seen: this.#lists };
    this.#present.set(id, present);
    roster.people.set(id, present);
  }

  #remove(present: Present | undefined): void {
    if (present === undefined) return;
    this.#present.delete(present.id);
    present.roster.people.delete(present.id);
  }

  #rosterOf(key: string): Roster {
    let roster = this.#rosters.get(key);
    if (roster === undefined) this.#rosters.set(key, (roster = { key, people: new Map() }));
    return roster;
  }

  async #askOne(node: NodeRef, key: string, era: number): Promise<void> {
    do {
      this.#asked.set(key, false);
      await this.#list(node, key, era);
      if (this.#era !== era) return;
    } while (this.#asked.get(key) === true);
    this.#asked.delete(key);
  }

  /** Takes in the whole list of a node, and tells who is missing in it. */
  async #list(node: NodeRef, key: string, era: number): Promise<void> {
    const { membership, scheduler, ask } = this.#deps;
    const isThere = (): boolean => this.#era === era && membership.others.some((other) => keyOf(other) === key);
    const number = ++this.#lists;
    const heard = ({ head: { l: rows } }: Frame): void => {
      if (isThere() && Array.isArray(rows)) for (const row of rows as readonly unknown[]) this.#addRow(row, key);
    };
    let from: unknown = 0;
    while (typeof from === 'number') {
      const question = { u: number, n: from };
      const asking = { isThere, scheduler, retryMs: RETRY_MS };
      const { l: rows, n: next } =
        (await askWhileThere(asking, node, () => ask(node, ROLL, question, heard)))?.head ?? {};
      if (!isThere()) return;
      if (!Array.isArray(rows)) {
        // It has no such realm, or has lost the list: a page was lost on its way, say.
        if (from > 0) this.#asked.set(key, true);
        return;
      }
      from = next;
    }
    const roster = this.#rosters.get(key);
    if (roster !== undefined) this.#tellLeft(roster, number);
  }

  #addRow(row: unknown, key: string): void {
    if (!Array.isArray(row)) return;
    const [id, authid, authrole] = row as readonly unknown[];
    if (typeof id !== 'number' || typeof authid !== 'string' || typeof authrole !== 'string') return;
    this.#add({ id, authid, authrole }, key);
  }

  /** Tells, one heartbeat later, that those of a node have left who are still known then. @param list who was heard of since stays */
  #tellLeft({ people }: Roster, list: number): void {
    if (people.size === 0) return;
    const { scheduler, mayServe, tell, heartbeatMs } = this.#deps;
    const each = people.values();
    const goOn = (): void => {
      if (!mayServe()) return;
      const untilMs = scheduler.elapsed() + SLICE_MS;
      for (let left = SLICE; left > 0 && scheduler.elapsed() < untilMs; left -= 1) {
        const { value: present, done } = each.next();
        if (done === true) return;
        if (present.seen >= list) continue;
        this.#remove(present);
        tell(present);
      }
      this.#later(0, goOn);
    };
    this.#later(heartbeatMs, goOn);
  }

  #later(ms: number, action: () => void): void {
    const stop = this.#deps.scheduler.after(ms, () => {
      this.#due.delete(stop);
      action();
    });
    this.#due.add(stop);
  }
}
