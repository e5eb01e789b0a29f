/** A service of the test that takes bodies, and keeps what all web services keep. Real sockets: `request-bodies.test.ts`. */
import { BodyReader } from '../../../src/http/bodies.js';
import { sendAnswer } from '../../../src/http/answer.js';
import type { WebService } from '../../../src/http/service.js';
import { silentLogger } from '../../../src/log/logger.js';
import { webServiceContract } from '../../contract/web-service.js';

/** Answers with the length of the body. */
class Measure implements WebService {
  readonly methods = ['POST', 'PUT'];
  readonly #bodies = new BodyReader(
    { maxBytes: 1000, timeoutMs: 60_000, mediaTypes: ['text/plain'] },
    { log: silentLogger() },
  );

  async handle(...[request, res]: Parameters<WebService['handle']>): Promise<void> {
    const body = await this.#bodies.read(request, res);
    if (body !== undefined) sendAnswer(res, { status: 200, type: 'text/plain', body: String(body.length) });
  }

  stop(): Promise<void> {
    this.#bodies.end();
    return Promise.resolve();
  }
}

webServiceContract('a service that takes bodies', {
  create: () => new Measure(),
  methods: ['POST', 'PUT'],
  validators: false,
  upgrades: false,
  body: { type: 'text/plain', text: 'some text' },
});
