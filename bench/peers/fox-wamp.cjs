/** Starts fox-wamp with WAMP only and without its trace: `node fox-wamp.cjs DIRECTORY_OF_THE_PACKAGE`. */
const Router = require(process.argv[2] ?? '');

const router = new Router();
router.getRealm('realm1', () => router.listenWAMP({ host: '127.0.0.1', port: 0, backlog: 511 }));
