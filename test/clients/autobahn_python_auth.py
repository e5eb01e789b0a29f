"""Logs in with autobahn-python, on asyncio.

    python3 autobahn_python_auth.py '[{"url": "ws://127.0.0.1:8080/ws", "method": "ticket", "authid": "joe", "options": {"ticket": "x"}}]'

Standard output gets one line of JSON for each login: the details of WELCOME, or why it was refused. Everything that the
methods compute is computed by the authenticators of the library.
"""
import asyncio
import json
import sys
from urllib.parse import urlparse

from autobahn.asyncio.wamp import ApplicationSession
from autobahn.asyncio.websocket import WampWebSocketClientFactory
from autobahn.wamp.auth import create_authenticator
from autobahn.wamp.types import ComponentConfig

DEADLINE_SECONDS = 30


class Session(ApplicationSession):
    """Tells how it ended: with WELCOME, or with a reason."""

    def __init__(self, login):
        super().__init__(ComponentConfig("realm1"))
        self.outcome = asyncio.get_running_loop().create_future()
        self.name = login.get("authid")
        options = login["options"] if login["method"] == "cryptosign" else dict(login["options"], authid=self.name)
        self.authenticator = create_authenticator(login["method"], **options)

    def onConnect(self):
        extra = self.authenticator.authextra
        self.join("realm1", authmethods=[self.authenticator.name], authid=self.name, authextra=extra)

    def onChallenge(self, challenge):
        return self.authenticator.on_challenge(self, challenge)

    def onWelcome(self, welcome):
        # For SCRAM: whether the router has proved itself.
        return self.authenticator.on_welcome(self, welcome.authextra)

    def onJoin(self, details):
        self.settle({"authid": details.authid, "authrole": details.authrole, "authmethod": details.authmethod})
        self.leave()

    def onLeave(self, details):
        self.settle({"reason": details.reason, "message": details.message})
        self.disconnect()

    def onUserError(self, failure, message):
        self.settle({"reason": "error", "message": "%s: %s" % (message, failure)})

    def settle(self, outcome):
        if not self.outcome.done():
            self.outcome.set_result(outcome)


async def run(login):
    session = Session(login)
    address = urlparse(login["url"])
    factory = WampWebSocketClientFactory(lambda: session, url=login["url"])
    await asyncio.get_running_loop().create_connection(factory, address.hostname, address.port)
    return await asyncio.wait_for(session.outcome, DEADLINE_SECONDS)


async def main():
    for login in json.loads(sys.argv[1]):
        try:
            outcome = await run(login)
        except Exception as e:
            outcome = {"reason": "error", "message": repr(e)}
        print(json.dumps(outcome), flush=True)


asyncio.run(main())
