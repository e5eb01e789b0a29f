"""Logs in with a ticket by one of the interfaces of autobahn-python, and says so.

    SHOP_TICKET=... python3 autobahn_python_api.py asyncio|twisted ApplicationRunner|Component URL SERIALIZER

Prints `joined` and ends. When the client itself fails, its traceback goes to standard error.
"""
import os
import sys
import threading

framework, interface, url, serializer_id = sys.argv[1:]

# A client that neither joins nor ends hangs; the caller would wait for nothing.
watchdog = threading.Timer(20, lambda: os._exit(3))
watchdog.daemon = True
watchdog.start()


def joined():
    print("joined", flush=True)
    os._exit(0)


def run_application():
    if framework == "asyncio":
        from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession
    else:
        from autobahn.twisted.wamp import ApplicationRunner, ApplicationSession
    from autobahn.wamp import serializer

    class Shop(ApplicationSession):
        def onConnect(self):
            self.join(self.config.realm, authmethods=["ticket"], authid="shop")

        def onChallenge(self, challenge):
            return os.environ["SHOP_TICKET"]

        def onJoin(self, details):
            joined()

        def onDisconnect(self):
            os._exit(2)

    classes = {"json": "JsonSerializer", "msgpack": "MsgPackSerializer", "cbor": "CBORSerializer"}
    chosen = getattr(serializer, classes[serializer_id])()
    ApplicationRunner(url, "realm1", serializers=[chosen]).run(Shop)


def run_component():
    if framework == "asyncio":
        from autobahn.asyncio.component import Component, run
    else:
        from autobahn.twisted.component import Component, run
    if url.startswith("rs:"):
        transport = {"type": "rawsocket", "serializer": serializer_id}
    else:
        transport = {"type": "websocket", "serializers": [serializer_id]}
    component = Component(
        transports=[dict(transport, url=url, max_retries=0)],
        realm="realm1",
        authentication={"ticket": {"authid": "shop", "ticket": os.environ["SHOP_TICKET"]}},
    )
    component.on_join(lambda session, details: joined())
    run([component])


run_application() if interface == "ApplicationRunner" else run_component()
sys.exit(2)
