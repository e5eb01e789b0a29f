"""A crowd of components of autobahn-python on asyncio, each with a login and a subscription. They come back by themselves: nothing
here asks them to.

    python3 autobahn_python_crowd.py ws://127.0.0.1:8080/ws com.example.topic com.example.procedure '{"joe": "his ticket"}'

What a member hears it also does: at "call" it calls the procedure. Standard output gets one line of JSON for each member that has been
told "end": all that it was told, the authids of its sessions, and what became of its calls. The script runs until it is killed.
"""
import asyncio
import json
import sys

import txaio
from autobahn.asyncio.component import Component
from autobahn.wamp.exception import ApplicationError

URL, TOPIC, PROCEDURE, LOGINS = sys.argv[1:]


def member(authid, ticket):
    # As a program without a word about retries has it: max_retries is -1 in a component.
    component = Component(
        transports=[{"type": "websocket", "url": URL}],
        realm="realm1",
        authentication={"ticket": {"authid": authid, "ticket": ticket}},
    )
    authids = []
    events = []
    outcomes = []

    async def call(session):
        place = len(outcomes)
        outcomes.append("no answer")
        try:
            await session.call(PROCEDURE)
            outcomes[place] = "result"
        except ApplicationError as error:
            outcomes[place] = error.error
        except Exception as error:
            outcomes[place] = type(error).__name__

    @component.on_join
    async def joined(session, details):
        def on_event(value):
            events.append(value)
            if value == "call":
                asyncio.ensure_future(call(session))
            if value == "end":
                report = {"authids": authids, "challenges": len(authids), "events": events, "outcomes": outcomes}
                print(json.dumps(report), flush=True)

        authids.append(details.authid)
        await session.subscribe(on_event, TOPIC)

    return component


async def run():
    # It tells of every connection that it lost.
    txaio.start_logging(level="critical")
    loop = asyncio.get_running_loop()
    members = [member(authid, ticket) for authid, ticket in json.loads(LOGINS).items()]
    await asyncio.gather(*[component.start(loop=loop) for component in members])


asyncio.run(run())
