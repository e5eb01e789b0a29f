/**
 * The `realms` of a router worker: their names, options, roles, and what each role may do.
 */
import { BUDGET_LIMITS } from './budget.js';
import { RETENTION_LIMITS } from './broker/retention-limits.js';
import { storeSchema } from './store-schema.js';
import { noteShortName } from './name-rules.js';
import { checkRealmOfCluster } from './uplink/rules.js';
import type { ConfigSchema, Written } from '../schema/dialect.js';

const NO_TYPES = 'payloads are passed on unread, so they are not checked against types';

const flag = (description: string) => ({ type: 'boolean', default: false, description }) as const;

export const permissionSchema = {
  type: 'object',
  section: 'Permission',
  standsAt: 'workers[].realms[].roles[].permissions[]',
  description: 'What a role may do with the URIs that match.',
  required: ['uri'],
  additionalProperties: false,
  properties: {
    uri: {
      type: 'string',
      pattern: '^[^\\s#]*$',
      allowed: 'a URI without whitespace and "#"; may end in "*"',
      description:
        'The URI or pattern of this rule. The most specific rule decides. Without `match` a `*` at the end makes a prefix, and `*` elsewhere, or twice, a wildcard: `com.*.created` is `com..created`.',
    },
    match: {
      type: 'string',
      enum: ['exact', 'prefix', 'wildcard'],
      absent: 'by the `*` in `uri`; `exact` where there is none',
      description:
        'How `uri` is compared. In a `wildcard` pattern an empty component (`a..c`) stands for any one component.',
    },
    allow: {
      type: 'object',
      section: 'Permission: allow',
      standsAt: '...permissions[].allow',
      default: {},
      description: 'The actions that are allowed.',
      additionalProperties: false,
      properties: {
        call: flag('May call the procedure.'),
        register: flag('May register the procedure.'),
        publish: flag('May publish to the topic.'),
        subscribe: flag('May subscribe to the topic.'),
      },
    },
    disclose: {
      type: 'object',
      section: 'Permission: disclose',
      standsAt: '...permissions[].disclose',
      default: {},
      description: 'Whether callers and publishers are shown to the other side.',
      additionalProperties: false,
      properties: {
        caller: flag("Invocations carry the caller's session id, `authid` and role."),
        publisher: flag("Events carry the publisher's session id, `authid` and role."),
      },
    },
    cache: flag('Accepted for compatibility. It has no effect, because static rules need no cache.'),
  },
  noEffect: { validate: NO_TYPES },
} as const satisfies ConfigSchema;

export const roleSchema = {
  type: 'object',
  section: 'Role',
  standsAt: 'workers[].realms[].roles[]',
  description: 'A role: a named set of permissions.',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: {
      type: 'string',
      minLength: 1,
      description: 'The name of the role. Authentication gives it to a session as its `authrole`.',
    },
    permissions: {
      type: 'array',
      items: permissionSchema,
      absent: 'none',
      description: 'The rules. What no rule allows is denied.',
    },
    authorizer: {
      type: 'string',
      is: 'uri',
      provider: 'authorizer-callee-role',
      pattern: '^([0-9a-z_]+\\.)*[0-9a-z_]+$',
      allowed: 'a procedure URI of a-z, 0-9 and _, with dots between them',
      absent: '`permissions` decide',
      description:
        'The procedure on the same realm that decides on every action of a session with this role. It is called with the session details, the URI, the action and the options, and answers with a boolean or `{allow, disclose, cache}`. If it is not registered, the router waits 5 seconds for it. If it does not answer within 5 seconds, the action fails.',
    },
    'authorizer-callee-role': {
      type: 'string',
      is: 'role',
      minLength: 1,
      absent: 'the first one that registers it',
      description: 'The role that may register the `authorizer`. No other role can, whatever its rules are.',
    },
    'allow-by-default': flag(
      'For a role without `permissions` and `authorizer`, beside which it has no effect: true allows everything, false nothing. Off, so that nothing is open by accident.',
    ),
  },
  unknownKeys: 'note',
  noEffect: { id: 'a role is known by its name' },
} as const satisfies ConfigSchema;

export const realmSchema = {
  type: 'object',
  section: 'Realm',
  standsAt: 'workers[].realms[]',
  description: 'A realm: sessions in it can talk to each other, and to nobody else.',
  required: ['name'],
  additionalProperties: false,
  rules: checkRealmOfCluster,
  properties: {
    id: {
      type: 'string',
      minLength: 1,
      reload: 'at once',
      absent: '`realm001`, `realm002`, ... in order',
      description: 'The name of this entry in the log: any text.',
    },
    name: {
      type: 'string',
      pattern: '^([A-Za-z][A-Za-z\\d_\\-@.]{1,254}|0x[A-Fa-f\\d]{40})$',
      adapt: noteShortName,
      reload: 'at once',
      allowed: '2 to 255 of A-Z, a-z, 0-9, _, -, @ and ., beginning with a letter; or 0x and 40 hex digits',
      description: 'The name that clients put in their HELLO.',
    },
    options: {
      type: 'object',
      section: 'Realm options',
      standsAt: 'workers[].realms[].options',
      default: {},
      reload: 'at once',
      description: 'How the realm routes.',
      additionalProperties: false,
      properties: {
        uri_check: {
          type: 'string',
          enum: ['loose', 'strict'],
          default: 'loose',
          description:
            'Which URIs are valid: `loose` refuses whitespace, `#` and empty components, `strict` all but `a-z`, `0-9`, `_` and `.`. No URI has more than 1024 characters, and no wildcard pattern more than 32 components.',
        },
        event_dispatching_chunk_size: {
          const: 100,
          default: 100,
          noEffect: 'events are sent to all receivers in one go, which is fast enough to need no chunks',
          description: 'Receivers per turn of the event loop.',
        },
        enable_meta_api: {
          type: 'boolean',
          reload: 'restart',
          default: true,
          description:
            'Offers the WAMP meta procedures and events (`wamp.session.list` and so on) to the roles that may call and subscribe to them.',
        },
        max_retained_events: {
          type: 'integer',
          minimum: 0,
          default: RETENTION_LIMITS.events,
          description:
            'How many events are kept for later subscribers (`retain`), in all topics together. Topics that were quiet for longest are dropped first. 0 keeps none.',
        },
        max_retained_bytes: {
          type: 'integer',
          minimum: 0,
          default: RETENTION_LIMITS.bytes,
          description: 'How many bytes all retained events may take together.',
        },
        max_session_subscriptions: {
          type: 'integer',
          minimum: 1,
          maximum: 10_000_000,
          default: 10_000,
          description:
            'How many subscriptions a session may have. One more is refused with `crossbar.error.limit_exceeded`.',
        },
        max_session_registrations: {
          type: 'integer',
          minimum: 1,
          maximum: 10_000_000,
          default: 10_000,
          description:
            'How many registrations a session may have. One more is refused with `crossbar.error.limit_exceeded`.',
        },
        max_session_bytes: {
          type: 'integer',
          minimum: BUDGET_LIMITS.reserved,
          maximum: 1_073_741_824,
          default: BUDGET_LIMITS.perSession,
          description:
            'How many bytes the router keeps for a session: calls that wait for a callee or may be sent to another one, testaments, subscriptions and registrations. A request that would need more is answered with an ERROR.',
        },
        strict_request_ids: {
          reload: 'restart',
          ...flag(
            'Ends sessions whose request ids do not count up by one from 1, as the WAMP specification asks for. Off, because some clients draw their ids at random.',
          ),
        },
        bridge_meta_api: {
          const: false,
          default: false,
          noEffect: "nothing but the realm's own sessions can ask for its meta API",
          description: "Makes the meta API of the realm visible to the node's management.",
        },
      },
    },
    cluster: {
      type: 'boolean',
      default: false,
      reload: 'restart',
      description:
        'Joins the realm to the same realm of the other nodes of the `cluster`: its sessions publish to each other, and call each other, wherever they are. Event history and retained events are not offered then.',
    },
    store: storeSchema,
    compat: {
      type: 'object',
      section: 'Realm compat',
      standsAt: 'workers[].realms[].compat',
      default: {},
      reload: 'at once',
      description:
        'Behaviour of Crossbar.io or its clients that contradicts the WAMP specification, for programs that depend on it: see docs/compatibility.md.',
      additionalProperties: false,
      properties: {
        cancel_without_error: flag(
          'A CANCEL with mode `skip` or `killnowait` ends the call without an ERROR to the caller. autobahn-js has forgotten the call by then: it takes the ERROR for a protocol violation and closes its connection.',
        ),
        empty_eligible_admits_all: flag(
          'An empty `eligible` list of a PUBLISH counts as no list, so all subscribers get the event. Off, because they may not be meant to see it.',
        ),
        goodbye_with_normal: flag(
          'GOODBYE is answered with `wamp.close.normal` instead of `wamp.close.goodbye_and_out`. Components of older versions of autobahn-python reconnect forever after any other answer.',
        ),
        ignore_disclose_me: flag(
          '`disclose_me` of a PUBLISH or CALL is ignored where the role does not disclose. Off, so that the request is refused and the client knows.',
        ),
      },
    },
    roles: {
      type: 'array',
      items: roleSchema,
      default: [],
      reload: 'at once',
      description: 'The roles of the realm. A session needs one of them to join.',
    },
  },
  unknownKeys: 'note',
  noEffect: {
    stats: 'the router keeps no statistics of sessions',
    trace: 'the router traces no messages of a realm; "--loglevel trace" shows those of all',
    inventory: NO_TYPES,
  },
  notYet: {
    rlinks:
      'put the realms of router workers of one machine into one router worker, which needs no link; where several nodes have the realm, give each a section `cluster`, and the realm `"cluster": true`',
  },
} as const satisfies ConfigSchema;

/** A checked permission: `match` is set, and `uri` carries no `*`. Written by hand, all but `uri` may be left out. */
export type PermissionConfig = Written<typeof permissionSchema>;
export type RoleConfig = Written<typeof roleSchema>;
/** A checked realm. Written by hand, `id` and `options` may be left out. */
export type RealmConfig = Omit<Written<typeof realmSchema>, 'roles'> & { readonly roles: readonly RoleConfig[] };
