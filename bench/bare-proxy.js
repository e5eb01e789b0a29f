/**
 * The least that a proxy of Node.js can be: each request is asked of the backend on a connection that is kept, with the headers as they
 * come, and its answer is passed back. It has no limits, and a fault ends it. `bench/proxy.js` measures it beside the node.
 *
 * Usage: bare-proxy.js PORT, which is that of the backend on 127.0.0.1.
 */
import http from 'node:http';

const port = Number(process.argv[2]);
const agent = new http.Agent({ keepAlive: true });

const server = http.createServer((req, res) => {
  const path = (req.url ?? '').replace('/back', '');
  const asked = { host: '127.0.0.1', port, agent, method: req.method, path, headers: req.headers };
  const upstream = http.request(asked, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  });
  req.pipe(upstream);
});
server.listen(0, '127.0.0.1');
