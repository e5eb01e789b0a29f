/** Starts wamp.rt without its trace: `node wamp.rt.cjs DIRECTORY_OF_THE_PACKAGE`. */
const Router = require(process.argv[2] ?? '');

new Router({ host: '127.0.0.1', port: 0 });
