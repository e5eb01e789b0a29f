/** A realm with a service of the HTTP bridge, and what others in the realm hear and do, without a network. */
import { connectLocal } from '../../src/client/connect.js';
import type { ClientSession } from '../../src/client/api.js';
import type { WebService } from '../../src/http/service.js';
import { Router } from '../../src/router/router.js';
import type { RealmConfig, RoleConfig } from '../../src/router/schema.js';
import { createCaller } from '../../src/webservice/bridge/caller.js';
import { createPublisher } from '../../src/webservice/bridge/publisher.js';
import { createWebhook } from '../../src/webservice/bridge/webhook.js';
import { recordingLog } from './cookie-store.js';
import { exchange } from './exchange.js';
import type { Exchange, ExchangeRequest } from './exchange.js';
import { ALLOW_ALL, FakeClock } from './realm.js';
import { serviceDeps } from './web.js';

/** When the tests take place. */
export const NOW = Date.parse('2026-01-02T03:04:05.678Z');

const COMMON = { post_body_limit: 0, allowed_origins: ['self'], allow_null_origin: false };
const ASKED = { ...COMMON, timestamp_delta_limit: 300, require_tls: false, error_status: false };

/** The options of each service, as the check of a config leaves them. */
const OPTIONS = {
  publisher: ASKED,
  caller: { ...ASKED, timeout: 0 },
  webhook: {
    ...COMMON,
    topic: 'com.example.hook',
    success_response: 'OK',
    error_response: 'NOT OK',
    secret_headers: [],
  },
} as const;

export type BridgeWord = keyof typeof OPTIONS;

const CREATE = { caller: createCaller, publisher: createPublisher, webhook: createWebhook };

export interface BridgeParts {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly id?: string;
  readonly realm?: string;
  readonly role?: string;
  readonly realmOptions?: RealmConfig['options'];
}

const CLOSED: RoleConfig = { name: 'closed', permissions: [] };

/** One service, and the realm in which it acts. */
export class BridgeWorld {
  readonly log = recordingLog();
  readonly clock = new FakeClock();
  readonly router: Router;
  readonly service: WebService;
  /** Milliseconds since 1970. */
  now = NOW;

  constructor(word: BridgeWord, { options, id, realm = 'realm1', role = 'anonymous', realmOptions }: BridgeParts = {}) {
    let lastId = 100;
    const realms = [
      { id: 'realm1', name: 'realm1', roles: [ALLOW_ALL, CLOSED], ...(realmOptions && { options: realmOptions }) },
    ];
    this.router = new Router(realms, { randomId: () => ++lastId, clock: () => this.clock.now, scheduler: this.clock });
    const config = {
      type: word,
      realm,
      role,
      options: { ...OPTIONS[word], ...options },
      ...(id !== undefined && { id }),
    };
    const deps = serviceDeps({ router: this.router, log: this.log.log, clock: () => this.now });
    this.service = CREATE[word](config as never, deps);
  }

  /** Somebody else in the realm. */
  async join(authid = 'joe'): Promise<ClientSession> {
    const parts = { router: this.router, log: this.log.log };
    return (await connectLocal(parts, { realm: 'realm1', role: 'anonymous', authid })).session;
  }

  /** All that is published on a topic from now on. */
  async events(topic: string): Promise<{ readonly args: unknown; readonly kwargs: unknown }[]> {
    const heard: { args: unknown; kwargs: unknown }[] = [];
    const session = await this.join();
    await session.subscribe(topic, (args, kwargs) => void heard.push({ args, kwargs }));
    return heard;
  }

  post(body: string | Buffer | object, parts: Omit<ExchangeRequest, 'body'> = {}): Promise<Exchange> {
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const headers = { 'Content-Type': 'application/json', ...parts.headers };
    return exchange(this.service, { method: 'POST', mount: '/bridge', rest: '', ...parts, headers, body: text });
  }

  /** The reasons for which requests were refused, as the log has them. */
  refusals(): unknown[] {
    return this.log.entries.filter(({ msg }) => msg === 'HTTP request refused').map(({ reason }) => reason);
  }
}

/** What somebody gets whose request is refused. */
export function refusal(text: string): string {
  return JSON.stringify({ error: text, args: [], kwargs: {} });
}
