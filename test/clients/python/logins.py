"""Components of Python that decide who is let in, and what they may do."""
from autobahn.twisted.wamp import ApplicationSession
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import Deny
from twisted.internet.defer import inlineCallbacks

TICKETS = {"joe": "secret!!!"}


class Logins(ApplicationSession):
    """A dynamic authenticator, and the authorizer of those that it lets in."""

    @inlineCallbacks
    def onJoin(self, details):
        yield self.register(self.authenticate, "com.example.authenticate")
        yield self.register(self.authorize, "com.example.authorize")
        yield self.register(lambda *numbers: sum(numbers), "com.example.sum")
        yield self.register(lambda: "never", "com.example.forbidden")

    def authenticate(self, realm, authid, details):
        if authid not in TICKETS:
            raise ApplicationError("com.example.no_such_user", "who are you?")
        if details["authmethod"] == "wampcra":
            return {"secret": TICKETS[authid], "role": "user"}
        if details["ticket"] != TICKETS[authid]:
            raise ApplicationError("com.example.wrong_ticket", "that is not your ticket")
        return {"role": "user", "extra": {"from": self.config.extra["team"]}}

    def authorize(self, session, uri, action, options):
        return {"allow": session["authrole"] == "user" and uri != "com.example.forbidden", "disclose": True}


def deny_all(session, details):
    """`join` of a `function`: an authenticator whose answer means something to Crossbar.io only."""
    return session.register(lambda *_: Deny("com.example.closed", "we are closed"), "com.example.authenticate_late")
