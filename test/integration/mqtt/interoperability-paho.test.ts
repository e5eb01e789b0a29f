/** The daemon with paho-mqtt of Python: see the contract. */
import { mqttClientContract } from '../../contract/mqtt-client.js';
import { HAS_PAHO, PahoClient } from '../../support/mqtt-clients.js';
import { describeNeeds } from '../../support/needs.js';

describeNeeds('python3-paho-mqtt', HAS_PAHO)('paho-mqtt of Python', () => {
  mqttClientContract((options) => PahoClient.connect(options));
});
