// A guest that is a WAMP client: says who it is, and answers.
import autobahn from 'autobahn';

const connection = new autobahn.Connection({ url: process.argv[2], realm: 'realm1', max_retries: 0 });
connection.onopen = async (session) => {
  await session.register('com.example.from_node', ([text]) => `node heard ${text}`);
  console.log('joined');
};
connection.open();
