/** What `doorbell bench --only phone` holds the app against, in the app's own page: mqtt.js and age-encryption, as they are. */

import { Decrypter } from "age-encryption";
import mqtt from "mqtt";

/**
 * A message on *topic* to a line of the document; one that is sealed to *identity* is opened first, and shown in a dialog.
 * *url* is the broker's WebSocket. Resolves when it is subscribed.
 */
export function listen(url, topic, identity) {
  const line = document.body.appendChild(document.createElement("p"));
  line.id = "bare";
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 0, timerVariant: "native" });
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  client.on("message", async (_, payload) => {
    if (payload[0] !== 97) return void (line.textContent = String.fromCharCode(...payload));
    const text = String.fromCharCode(...(await decrypter.decrypt(payload)));
    const box = document.createElement("dialog");
    box.className = "bare";
    box.append(text);
    document.body.append(box);
    box.showModal();
    setTimeout(() => box.remove(), 500);
  });
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
