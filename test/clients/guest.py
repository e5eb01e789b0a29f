"""A guest that is a WAMP client: says who it is, and answers."""
import sys

from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession


class Guest(ApplicationSession):
    async def onJoin(self, details):
        await self.register(lambda text: 'python heard ' + text, 'com.example.from_python')
        print('joined')


ApplicationRunner(sys.argv[1], 'realm1').run(Guest)
