/** A session of another node, as the router of this one sees it: somebody to send to, who never joined the realm here. */
import { Role } from '../../router/role.js';
import type { RouterSession, SessionDetails, SessionStatus } from '../../router/session.js';
import type { ClientFeature, ClientRole } from '../../wamp/features.js';
import type { Invocation, RouterMessage } from '../../wamp/message.js';

export interface ForeignOptions {
  readonly id: number;
  readonly authid: string;
  readonly authrole: string;
  readonly realm: string;
  /** The name of its node. */
  readonly node: string;
  readonly announced: RouterSession['announced'];
  readonly send: (message: RouterMessage) => void;
  /** See `RouterSession.tryInvoke`. */
  readonly tryInvoke?: (invocation: Invocation) => void;
}

export class ForeignSession implements RouterSession {
  readonly isElsewhere = true;
  readonly id: number;
  readonly authid: string;
  readonly role: Role;
  keptBytes = 0;
  readonly tryInvoke?: (invocation: Invocation) => void;
  readonly #options: ForeignOptions;

  constructor(options: ForeignOptions) {
    this.#options = options;
    this.id = options.id;
    this.authid = options.authid;
    if (options.tryInvoke !== undefined) this.tryInvoke = options.tryInvoke;
    // What it may do was decided on its node.
    this.role = new Role({ name: options.authrole, 'allow-by-default': false });
  }

  get authrole(): string {
    return this.role.name;
  }

  get details(): SessionDetails {
    const { id, authid, authrole } = this;
    const { realm, node } = this.#options;
    const transport = { peer: `node ${node}` };
    return { session: id, realm, authid, authrole, authmethod: 'cluster', authprovider: node, transport };
  }

  get status(): SessionStatus {
    return { name: this.authid, joinedMs: 0, waitingBytes: undefined, received: 0, sent: 0 };
  }

  announced(role: ClientRole, feature: ClientFeature): boolean {
    return this.#options.announced(role, feature);
  }

  /** Its own node ends sessions. */
  kill(): void {
    throw new TypeError('a session of another node cannot be ended here');
  }

  send(message: RouterMessage): void {
    this.#options.send(message);
  }
}
