"""A crowd of components of autobahn-python on asyncio, each with a subscription. They come back by themselves: nothing here
asks them to.

    python3 autobahn_python_crowd.py ws://127.0.0.1:8080/ws com.example.topic 20

Standard output gets one line of JSON for each member that has been told "end": all that it was told, and the authids of its
sessions. The script runs until it is killed.
"""
import asyncio
import json
import sys

import txaio
from autobahn.asyncio.component import Component

URL, TOPIC, SIZE = sys.argv[1:]


def member():
    # As a program without a word about retries has it: max_retries is -1 in a component.
    component = Component(transports=[{"type": "websocket", "url": URL}], realm="realm1")
    authids = []
    events = []

    def on_event(value):
        events.append(value)
        if value == "end":
            print(json.dumps({"authids": authids, "events": events}), flush=True)

    @component.on_join
    async def joined(session, details):
        authids.append(details.authid)
        await session.subscribe(on_event, TOPIC)

    return component


async def run():
    # It tells of every connection that it lost.
    txaio.start_logging(level="critical")
    loop = asyncio.get_running_loop()
    await asyncio.gather(*[component.start(loop=loop) for component in [member() for _ in range(int(SIZE))]])


asyncio.run(run())
