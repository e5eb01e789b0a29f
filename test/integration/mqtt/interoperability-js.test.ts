/** The daemon with mqtt.js: see the contract. */
import { describe } from 'vitest';
import { mqttClientContract } from '../../contract/mqtt-client.js';
import { JsClient } from '../../support/mqtt-clients.js';

describe('mqtt.js', () => {
  mqttClientContract((options) => JsClient.connect(options));
});
