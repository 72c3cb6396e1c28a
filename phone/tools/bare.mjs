/** What `doorbell bench --only phone` holds the app against, in the app's own page: mqtt.js and age-encryption, as they are. */

import { Decrypter } from "age-encryption";
import mqtt from "mqtt";

/** A message on *topic* to a line of the document; *url* is the broker's WebSocket. Resolves when it is subscribed. */
export function listen(url, topic) {
  const line = document.body.appendChild(document.createElement("p"));
  line.id = "bare";
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 0, timerVariant: "native" });
  client.on("message", (_, payload) => (line.textContent = String.fromCharCode(...payload.subarray(0, 20))));
  return new Promise((resolve, reject) => {
    client.on("error", reject);
    client.on("connect", () => client.subscribe(topic, { qos: 1 }, (error) => (error ? reject(error) : resolve())));
  });
}

export function open(identity, sealed) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(sealed);
}
