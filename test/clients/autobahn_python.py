"""A script of features for autobahn-python, on asyncio or on Twisted.

    python3 autobahn_python.py asyncio  ws://127.0.0.1:8080/ws ws://127.0.0.1:8080/guest json FEATURE...
    python3 autobahn_python.py twisted  rs://127.0.0.1:8081    rs://127.0.0.1:8082       cbor FEATURE...

The second URL is the one of guests; each may be a list with commas, of which sessions take the next one. Every feature runs with sessions of its own. Standard output gets one line of JSON
for each: its name, and what went wrong or null. Futures of asyncio and Deferreds of Twisted are both awaited, so the
features are written once.

What autobahn-python 22.7 cannot do at all is a table in test/support/client-features.ts. Beyond that:

- It announces subscription_revocation, but takes the UNSUBSCRIBED with request id 0 that this gets it for a broken
  protocol and breaks off its connection. The router has done nothing wrong by then; the script holds it to that.
- Of an UNREGISTERED with request id 0 it writes a debug line: its Registration stays `active`.
- It cannot choose the mode of a CANCEL.
"""
import itertools
import json
import sys
import traceback
from urllib.parse import urlparse

FRAMEWORK, URLS, GUEST_URLS, SERIALIZER, *FEATURES = sys.argv[1:]
URLS, GUEST_URLS = URLS.split(","), GUEST_URLS.split(",")
# Each session goes to the next node. A realm that keeps events is another one on each.
TURNS = itertools.count()
ALONE = "remembering"

if FRAMEWORK == "asyncio":
    import asyncio

    from autobahn.asyncio.wamp import ApplicationSession
    from autobahn.asyncio.websocket import WampWebSocketClientFactory
else:
    from autobahn.twisted.rawsocket import WampRawSocketClientFactory
    from autobahn.twisted.wamp import ApplicationSession
    from twisted.internet import reactor
    from twisted.internet.defer import ensureDeferred
    from twisted.internet.endpoints import TCP4ClientEndpoint

import txaio
from autobahn.wamp import serializer as serializers
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.interfaces import IPayloadCodec
from autobahn.wamp.types import CallOptions, CallResult, ComponentConfig, EncodedPayload
from autobahn.wamp.types import PublishOptions, RegisterOptions, SubscribeOptions

DEADLINE_SECONDS = 20

# What it finds wrong with a connection that it breaks off. Twisted takes the standard output for its own.
RESULTS = sys.stdout
txaio.start_logging(out=sys.stderr, level="warn")


def make_serializer():
    names = {"json": "JsonSerializer", "msgpack": "MsgPackSerializer", "cbor": "CBORSerializer", "ubjson": "UBJSONSerializer"}
    return getattr(serializers, names[SERIALIZER])()


def future():
    return txaio.create_future()


class Session(ApplicationSession):
    """Tells when it has joined and when it has left, and then closes its connection unless it is to be used again."""

    def __init__(self, realm):
        super().__init__(ComponentConfig(realm))
        self.expect()

    def expect(self, keep_open=False):
        self.joined = future()
        self.left = future()
        self.keep_open = keep_open

    def onJoin(self, details):
        txaio.resolve(self.joined, details)

    def onLeave(self, details):
        if not txaio.is_called(self.joined):
            txaio.reject(self.joined, RuntimeError("%s: %s" % (details.reason, details.message)))
        if not self.keep_open:
            self.disconnect()
        txaio.resolve(self.left, details)


class Mailbox:
    """What a handler is called with, one by one."""

    def __init__(self):
        self.values = []
        self.waiting = []

    def put(self, value):
        if self.waiting:
            txaio.resolve(self.waiting.pop(0), value)
        else:
            self.values.append(value)

    def take(self):
        taken = future()
        if self.values:
            txaio.resolve(taken, self.values.pop(0))
        else:
            self.waiting.append(taken)
        return taken


async def join(realm="realm1", urls=URLS):
    session = Session(realm)
    url = urls[0 if realm == ALONE else next(TURNS) % len(urls)]
    address = urlparse(url)
    if FRAMEWORK == "asyncio":
        factory = WampWebSocketClientFactory(lambda: session, url=url, serializers=[make_serializer()])
        await asyncio.get_running_loop().create_connection(factory, address.hostname, address.port)
    else:
        factory = WampRawSocketClientFactory(lambda: session, serializer=make_serializer())
        await TCP4ClientEndpoint(reactor, address.hostname, address.port).connect(factory)
    session.details = await session.joined
    return session


async def join_many(count, realm="realm1"):
    return [await join(realm) for _ in range(count)]


async def fails(awaitable, error):
    try:
        value = await awaitable
    except ApplicationError as e:
        assert e.error == error, "%s instead of %s" % (e.error, error)
        return e
    raise AssertionError("%r instead of %s" % (value, error))


def same(value, expected):
    assert value == expected, "%r instead of %r" % (value, expected)


ACK = dict(acknowledge=True)


def never():
    return future()


def ignore(future_or_deferred):
    txaio.add_callbacks(future_or_deferred, lambda _: None, lambda _: None)


async def session():
    (a,) = await join_many(1)
    same((a.details.realm, a.details.authrole, a.details.authmethod), ("realm1", "anonymous", "anonymous"))
    a.leave()
    same((await a.left).reason, "wamp.close.goodbye_and_out")


async def session_reuse():
    (a,) = await join_many(1)
    first = a.details.session
    left = a.left
    a.keep_open = True
    a.leave()
    same((await left).reason, "wamp.close.goodbye_and_out")
    # The same transport: a GOODBYE ends the session only.
    a.expect()
    a.join("realm1")
    a.details = await a.joined
    same(a.details.session != first, True)
    same(await a.call("wamp.session.list"), [a.details.session])


async def permissions():
    (a,) = await join_many(1, "restricted")
    denied = "wamp.error.not_authorized"
    await fails(a.subscribe(lambda: None, "com.example.denied"), denied)
    await fails(a.register(lambda: 1, "com.example.allowed"), denied)
    await fails(a.publish("com.example.allowed", options=PublishOptions(**ACK)), denied)
    await fails(a.call("com.example.denied"), denied)
    await fails(a.call("com.example.allowed"), "wamp.error.no_such_procedure")
    await a.subscribe(lambda: None, "com.example.allowed")


async def authorizer():
    decider = await join("authorized")
    guest = await join("authorized", GUEST_URLS)
    asked, seen = [], Mailbox()

    def decide(details, uri, action, _options=None):
        asked.append([details["session"], uri, action])
        return {"allow": True, "disclose": True} if uri == "com.example.allowed" else False

    await decider.register(decide, "com.example.authorize")
    await decider.subscribe(lambda details: seen.put(details.publisher), "com.example.allowed",
                            SubscribeOptions(details=True))
    await guest.publish("com.example.allowed", options=PublishOptions(**ACK))
    same(await seen.take(), guest.details.session)
    await guest.register(lambda: 1, "com.example.allowed")
    denied = "wamp.error.not_authorized"
    await fails(guest.publish("com.example.denied", options=PublishOptions(**ACK)), denied)
    await fails(guest.call("com.example.denied"), denied)
    await fails(guest.subscribe(lambda: None, "com.example.denied"), denied)
    allowed, refused = "com.example.allowed", "com.example.denied"
    expected = [(allowed, "publish"), (allowed, "register"), (refused, "publish"), (refused, "call"), (refused, "subscribe")]
    same(asked, [[guest.details.session, uri, action] for uri, action in expected])


async def pubsub():
    a, b = await join_many(2)
    events = Mailbox()
    subscription = await a.subscribe(lambda *args, **kwargs: events.put((args, kwargs)), "com.example.topic")
    await b.publish("com.example.topic", 1, "zwei", None, k=[True], options=PublishOptions(**ACK))
    same(await events.take(), ((1, "zwei", None), {"k": [True]}))
    await subscription.unsubscribe()
    await b.publish("com.example.topic", "to nobody", options=PublishOptions(**ACK))
    await a.subscribe(lambda *args, **kwargs: events.put((args, kwargs)), "com.example.topic")
    await b.publish("com.example.topic", "again", options=PublishOptions(**ACK))
    same(await events.take(), (("again",), {}))


async def acknowledge():
    (a,) = await join_many(1)
    same(a.publish("com.example.topic"), None)
    first = await a.publish("com.example.topic", options=PublishOptions(**ACK))
    second = await a.publish("com.example.topic", options=PublishOptions(**ACK))
    same(first.id > 0 and second.id > 0 and first.id != second.id, True)
    await fails(a.publish("wamp.mine", options=PublishOptions(**ACK)), "wamp.error.invalid_uri")


async def exclude_me():
    (a,) = await join_many(1)
    events = Mailbox()
    await a.subscribe(events.put, "com.example.topic")
    await a.publish("com.example.topic", "not to me", options=PublishOptions(**ACK))
    await a.publish("com.example.topic", "to me", options=PublishOptions(exclude_me=False, **ACK))
    same(await events.take(), "to me")


async def there_and_back(values):
    """Values are the same after they were published, and after they were called with and came back."""
    a, b = await join_many(2)
    events = Mailbox()
    await a.subscribe(lambda *args: events.put(list(args)), "com.example.values")
    await b.publish("com.example.values", *values, options=PublishOptions(**ACK))
    same(await events.take(), values)
    await a.register(lambda *args: list(args), "com.example.echo")
    same(await b.call("com.example.echo", *values), values)


async def byte_strings():
    await there_and_back([b"\x00\xff", b"", "", [], {"a": [b"x"]}])


async def integers():
    await there_and_back([0, -1, 2**31, -(2**31) - 1, 2**53 - 1, -(2**53) + 1, 1.5])


async def rpc():
    callee, caller = await join_many(2)

    def procedure(*args, **kwargs):
        if kwargs.get("fail"):
            raise ApplicationError("com.example.error.too_big", "why", 7, limit=5)
        return CallResult(*reversed(args), **kwargs) if kwargs else sum(args)

    registration = await callee.register(procedure, "com.example.sum")
    same(await caller.call("com.example.sum", 23, 7), 30)
    result = await caller.call("com.example.sum", 1, 2, k="v")
    same((list(result.results), result.kwresults), ([2, 1], {"k": "v"}))
    error = await fails(caller.call("com.example.sum", fail=True), "com.example.error.too_big")
    same((list(error.args), error.kwargs), (["why", 7], {"limit": 5}))
    await fails(caller.register(procedure, "com.example.sum"), "wamp.error.procedure_already_exists")
    await registration.unregister()
    await fails(caller.call("com.example.sum", 1), "wamp.error.no_such_procedure")


async def eligibility():
    a, b, publisher = await join_many(3)
    events = Mailbox()
    for name, subscriber in (("a", a), ("b", b)):
        await subscriber.subscribe(lambda value, name=name: events.put((name, value)), "com.example.some")
    ids = [a.details.session, b.details.session]
    await publisher.publish("com.example.some", 1, options=PublishOptions(eligible=ids[:1], **ACK))
    await publisher.publish("com.example.some", 2, options=PublishOptions(exclude=ids[:1], **ACK))
    await publisher.publish("com.example.some", 3, options=PublishOptions(eligible_authid=[b.details.authid], **ACK))
    await publisher.publish("com.example.some", 4, options=PublishOptions(exclude_authrole=["anonymous"], **ACK))
    await publisher.publish("com.example.some", 5, options=PublishOptions(exclude_authid=[b.details.authid], **ACK))
    # One after the other per subscriber, in any order between them.
    got = [await events.take() for _ in range(4)]
    same([value for name, value in got if name == "a"], [1, 5])
    same([value for name, value in got if name == "b"], [2, 3])


async def disclosure():
    a, b = await join_many(2, "disclosed")
    events = Mailbox()
    await a.subscribe(lambda details: events.put(details), "com.example.topic", SubscribeOptions(details=True))
    await a.register(lambda details: [details.caller, details.caller_authrole], "com.example.who",
                     RegisterOptions(details=True))
    b.publish("com.example.topic")
    details = await events.take()
    same((details.publisher, details.publisher_authid), (b.details.session, b.details.authid))
    same(await b.call("com.example.who"), [b.details.session, "anonymous"])


async def pattern_subscriptions():
    a, b = await join_many(2)
    events = Mailbox()
    for match, pattern in (("prefix", "com.example.pat"), ("wildcard", "com..pattern")):
        await a.subscribe(lambda details, match=match: events.put((match, details.topic)), pattern,
                          SubscribeOptions(match=match, details=True))
    await b.publish("com.example.pattern", options=PublishOptions(**ACK))
    same(sorted([await events.take(), await events.take()]),
         [("prefix", "com.example.pattern"), ("wildcard", "com.example.pattern")])


async def retain():
    a, b = await join_many(2, "remembering")
    for value in (1, 2):
        await a.publish("com.example.state", value, options=PublishOptions(retain=True, **ACK))
    events = Mailbox()
    await b.subscribe(lambda value, details: events.put((value, details.retained)), "com.example.state",
                      SubscribeOptions(get_retained=True, details=True))
    same(await events.take(), (2, True))


async def get_retained():
    a, b, c = await join_many(3, "remembering")
    await a.publish("com.example.kept", 1, options=PublishOptions(retain=True, **ACK))
    unasked, asked = Mailbox(), Mailbox()
    await b.subscribe(unasked.put, "com.example.kept")
    await c.subscribe(asked.put, "com.example.kept", SubscribeOptions(get_retained=True))
    same(await asked.take(), 1)
    await a.publish("com.example.kept", 2, options=PublishOptions(**ACK))
    same((await asked.take(), await unasked.take()), (2, 2))


async def subscription_revocation():
    a, b = await join_many(2)
    subscription = await a.subscribe(lambda: None, "com.example.revoked")
    gone = Mailbox()
    await b.subscribe(lambda session, *_: gone.put(session), "wamp.session.on_leave")
    await b.call("wamp.subscription.remove_subscriber", subscription.id, a.details.session, "com.example.enough")
    same(await b.call("wamp.subscription.lookup", "com.example.revoked"), None)
    # It breaks off: see the top of this file. Others go on.
    same((await a.left).reason, "wamp.close.transport_lost")
    same(await gone.take(), a.details.session)


async def pattern_registrations():
    callee, caller = await join_many(2)
    for match, pattern in (("exact", "com.one.proc"), ("prefix", "com.one"), ("wildcard", "com..proc")):
        await callee.register(lambda details, match=match: [match, details.procedure], pattern,
                              RegisterOptions(match=match, details=True))
    same((await caller.call("com.one.proc"))[0], "exact")
    same(await caller.call("com.one.other"), ["prefix", "com.one.other"])
    same(await caller.call("com.two.proc"), ["wildcard", "com.two.proc"])


async def shared_registrations():
    one, two, caller = await join_many(3)
    for invoke, expected in (("roundrobin", [1, 2, 1, 2]), ("first", [1, 1]), ("last", [2, 2])):
        uri = "com.example.%s" % invoke
        await one.register(lambda: 1, uri, RegisterOptions(invoke=invoke))
        await two.register(lambda: 2, uri, RegisterOptions(invoke=invoke))
        same([await caller.call(uri) for _ in expected], expected)
    for session, value in ((one, 1), (two, 2)):
        await session.register(lambda value=value: value, "com.example.random", RegisterOptions(invoke="random"))
    # With 64 calls one callee is left out once in 2^63 runs.
    same({await caller.call("com.example.random") for _ in range(64)}, {1, 2})


async def force_reregister():
    old, new, caller = await join_many(3)
    await old.register(lambda: "old", "com.example.mine")
    await new.register(lambda: "new", "com.example.mine", RegisterOptions(force_reregister=True))
    same(await caller.call("com.example.mine"), "new")


def count(n, details):
    if details.progress is None:
        return "all at once"
    for i in range(n):
        details.progress(i)
    return "done"


async def progressive_results():
    callee, caller = await join_many(2)
    progress = Mailbox()
    await callee.register(count, "com.example.count", RegisterOptions(details=True))
    same(await caller.call("com.example.count", 3, options=CallOptions(on_progress=progress.put)), "done")
    same(progress.values, [0, 1, 2])


async def progressive_results_of_callee():
    callee, caller = await join_many(2)
    await callee.register(count, "com.example.count", RegisterOptions(details=True))
    same(await caller.call("com.example.count", 3), "all at once")


async def call_timeout():
    callee, caller = await join_many(2)
    await callee.register(never, "com.example.never")
    await fails(caller.call("com.example.never", options=CallOptions(timeout=50)), "wamp.error.timeout")
    same(await caller.call("wamp.registration.lookup", "com.example.never") > 0, True)


async def cancel_killnowait():
    callee, caller = await join_many(2)
    invoked = Mailbox()

    def endpoint():
        invoked.put(True)
        return future()

    await callee.register(endpoint, "com.example.slow")
    call = caller.call("com.example.slow")
    ignore(call)
    await invoked.take()
    call.cancel()
    # The caller has an ERROR for what it no longer waits for; both sessions go on.
    await callee.register(lambda: "alive", "com.example.alive")
    same(await caller.call("com.example.alive"), "alive")


async def cancel_of_callee():
    callee, caller = await join_many(2)
    invoked, cancelled = Mailbox(), Mailbox()

    async def endpoint():
        invoked.put(True)
        try:
            await future()
        except BaseException as e:
            cancelled.put(type(e).__name__)
            raise

    await callee.register(endpoint, "com.example.never")
    call = caller.call("com.example.never")
    ignore(call)
    await invoked.take()
    call.cancel()
    same(await cancelled.take(), "CancelledError")
    # Both sessions go on.
    await callee.register(lambda: "alive", "com.example.alive")
    same(await caller.call("com.example.alive"), "alive")


async def registration_revocation():
    callee, caller = await join_many(2)
    registration = await callee.register(lambda: "old", "com.example.revoked")
    await caller.call("wamp.registration.remove_callee", registration.id, callee.details.session, "com.example.enough")
    await fails(caller.call("com.example.revoked"), "wamp.error.no_such_procedure")
    # It was told, and does not tell: see the top of this file.
    same(registration.active, True)
    await callee.register(lambda: "new", "com.example.revoked")
    same(await caller.call("com.example.revoked"), "new")


async def session_meta():
    (a,) = await join_many(1)
    joined = Mailbox()
    await a.subscribe(joined.put, "wamp.session.on_join")
    (b,) = await join_many(1)
    same((await joined.take())["session"], b.details.session)
    ids = await a.call("wamp.session.list")
    same({a.details.session, b.details.session} <= set(ids), True)
    same(await a.call("wamp.session.count"), len(ids))
    same((await a.call("wamp.session.get", b.details.session))["authid"], b.details.authid)
    left = Mailbox()
    await a.subscribe(lambda *args: left.put(list(args)), "wamp.session.on_leave")
    b.leave()
    same(await left.take(), [b.details.session, b.details.authid, "anonymous"])
    await fails(a.call("wamp.session.get", b.details.session), "wamp.error.no_such_session")


async def session_kill():
    (a,) = await join_many(1)
    procedures = {
        "wamp.session.kill": lambda b: (b.details.session, None),
        "wamp.session.kill_by_authid": lambda b: (b.details.authid, [b.details.session]),
        "wamp.session.kill_by_authrole": lambda b: ("anonymous", 1),
        "wamp.session.kill_all": lambda b: (None, 1),
    }
    for procedure, victim in procedures.items():
        (b,) = await join_many(1)
        whom, result = victim(b)
        args = [] if whom is None else [whom]
        same(await a.call(procedure, *args, reason="com.example.enough", message="bye"), result)
        details = await b.left
        same((details.reason, details.message), ("com.example.enough", "bye"))
    # Nobody kills themselves.
    await fails(a.call("wamp.session.kill", a.details.session), "wamp.error.no_such_session")


async def registration_meta():
    a, b = await join_many(2)
    events = Mailbox()
    for what in ("on_create", "on_register", "on_unregister", "on_delete"):
        await a.subscribe(lambda session, _, what=what: events.put((what, session)), "wamp.registration.%s" % what)
    registration = await b.register(lambda: 1, "com.example.meta")
    same([await events.take() for _ in range(2)], [(what, b.details.session) for what in ("on_create", "on_register")])
    same(await a.call("wamp.registration.lookup", "com.example.meta"), registration.id)
    same(await a.call("wamp.registration.match", "com.example.meta"), registration.id)
    same(await a.call("wamp.registration.list_callees", registration.id), [b.details.session])
    same(await a.call("wamp.registration.count_callees", registration.id), 1)
    same((await a.call("wamp.registration.get", registration.id))["uri"], "com.example.meta")
    same((await a.call("wamp.registration.list"))["exact"], [registration.id])
    await registration.unregister()
    same([await events.take() for _ in range(2)], [(what, b.details.session) for what in ("on_unregister", "on_delete")])


async def subscription_meta():
    a, b = await join_many(2)
    events = Mailbox()
    for what in ("on_create", "on_subscribe", "on_unsubscribe", "on_delete"):
        await a.subscribe(lambda session, _, what=what: events.put((what, session)), "wamp.subscription.%s" % what)
    subscription = await b.subscribe(lambda: None, "com.example.meta")
    same([await events.take() for _ in range(2)], [(what, b.details.session) for what in ("on_create", "on_subscribe")])
    same((await a.call("wamp.subscription.get", subscription.id))["uri"], "com.example.meta")
    same(subscription.id in (await a.call("wamp.subscription.list"))["exact"], True)
    same(await a.call("wamp.subscription.lookup", "com.example.meta"), subscription.id)
    same(await a.call("wamp.subscription.match", "com.example.meta"), [subscription.id])
    same(await a.call("wamp.subscription.list_subscribers", subscription.id), [b.details.session])
    same(await a.call("wamp.subscription.count_subscribers", subscription.id), 1)
    await subscription.unsubscribe()
    same([await events.take() for _ in range(2)], [(what, b.details.session) for what in ("on_unsubscribe", "on_delete")])


async def testaments():
    a, b = await join_many(2)
    events = Mailbox()
    await a.subscribe(lambda *args, **kwargs: events.put((list(args), kwargs)), "com.example.will")
    await b.call("wamp.session.add_testament", "com.example.will", ["flushed"], {})
    same(await b.call("wamp.session.flush_testaments"), 1)
    await b.call("wamp.session.add_testament", "com.example.will", ["gone"], {"k": 1})
    b.leave()
    same(await events.take(), (["gone"], {"k": 1}))


async def concurrency():
    callee, caller = await join_many(2)
    invoked, pending = Mailbox(), []

    def busy():
        pending.append(future())
        invoked.put(len(pending))
        return pending[-1]

    await callee.register(busy, "com.example.busy", RegisterOptions(concurrency=1))
    # Each call waits until the one before is done.
    calls = [caller.call("com.example.busy") for _ in range(3)]
    for number, call in enumerate(calls, 1):
        same(await invoked.take(), number)
        same(len(pending), number)
        txaio.resolve(pending[-1], number)
        same(await call, number)


async def rerouting():
    one, two, caller = await join_many(3)

    def unavailable():
        raise ApplicationError("wamp.error.unavailable")

    await one.register(unavailable, "com.example.shared", RegisterOptions(invoke="first"))
    registration = await two.register(lambda: "second", "com.example.shared", RegisterOptions(invoke="first"))
    same(await caller.call("com.example.shared"), "second")
    await registration.unregister()
    await fails(caller.call("com.example.shared"), "wamp.error.no_available_callee")


async def event_history():
    a, b = await join_many(2, "remembering")
    for value in (1, 2):
        await a.publish("com.example.log", value, options=PublishOptions(**ACK))
    subscription = await b.subscribe(lambda *_: None, "com.example.log")
    event = await b.call("wamp.subscription.get_events", subscription.id, limit=1, reverse=True)
    same((event["subscription"], event["args"]), (subscription.id, [2]))


class Codec:
    """Writes the URI and the arguments as text that only looks encrypted. The router must not need to read it."""

    def encode(self, is_originating, uri, args=None, kwargs=None):
        text = json.dumps([uri, list(args or []), kwargs or {}])
        return EncodedPayload(text.encode("utf8")[::-1], "x_reversed", "json", "key 1")

    def decode(self, is_originating, uri, encoded):
        same((encoded.enc_algo, encoded.enc_serializer, encoded.enc_key), ("x_reversed", "json", "key 1"))
        return tuple(json.loads(encoded.payload[::-1].decode("utf8")))


IPayloadCodec.register(Codec)


async def opaque_payloads():
    a, b = await join_many(2)
    for session in (a, b):
        session.set_payload_codec(Codec())
    events = Mailbox()
    await a.subscribe(lambda value, k, details: events.put((value, k, details.enc_algo)), "com.example.secret",
                      SubscribeOptions(details=True))
    await b.publish("com.example.secret", 1, k="v", options=PublishOptions(**ACK))
    same(await events.take(), (1, "v", "x_reversed"))

    def procedure(value, fail=False):
        if fail:
            raise ApplicationError("com.example.error", "why")
        return value + 1

    await a.register(procedure, "com.example.increment")
    same(await b.call("com.example.increment", 1), 2)
    error = await fails(b.call("com.example.increment", 1, fail=True), "com.example.error")
    same(list(error.args), ["why"])


async def run():
    for name in FEATURES:
        opened = []
        global join
        plain_join = join

        async def join_and_keep(*args, plain_join=plain_join, opened=opened):
            session = await plain_join(*args)
            opened.append(session)
            return session

        join = join_and_keep
        try:
            await globals()[name]()
            problem = None
        except Exception:
            problem = traceback.format_exc()
        finally:
            join = plain_join
        print(json.dumps({"feature": name, "problem": problem}), file=RESULTS, flush=True)
        for session in opened:
            try:
                if session.is_attached():
                    session.leave()
                await session.left
            except Exception:
                print("after %s: %s" % (name, traceback.format_exc()), file=sys.stderr)


if FRAMEWORK == "asyncio":
    asyncio.run(asyncio.wait_for(run(), DEADLINE_SECONDS * 3))
else:
    finished = ensureDeferred(run())
    finished.addErrback(lambda failure: print(failure.getTraceback(), file=sys.stderr))
    finished.addBoth(lambda _: reactor.stop())
    reactor.run()
