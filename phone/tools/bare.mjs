/** What `doorbell bench --only phone` holds the app against, in the app's own page: mqtt.js and age-encryption, as they are. */

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { Decrypter } from "age-encryption";
import mqtt from "mqtt";

/**
 * A message on *topic* to a line of the document. By its first byte: one that is sealed to *identity* (`a`) is opened first,
 * and shown in a dialog; `o` and `d`: first come the operations that no sealed and signed ring can do without, and then `d`
 * opens a dialog that is there already. *url* is the broker's WebSocket. Resolves when it is subscribed.
 */
export async function listen(url, topic, identity) {
  const operations = await indispensable();
  const line = document.body.appendChild(document.createElement("p"));
  line.id = "bare";
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 0, timerVariant: "native" });
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const waiting = document.createElement("dialog");
  waiting.innerHTML = "<h1>Somebody is at the door</h1><button autofocus>Look</button><button>Silence</button><button>Ignore</button>";
  document.body.append(waiting);
  client.on("message", async (_, payload) => {
    if (payload[0] === 111 || payload[0] === 100) await operations(payload);
    if (payload[0] === 100) {
      waiting.className = "bare";
      waiting.showModal();
      return void setTimeout(() => {
        waiting.close();
        waiting.className = "";
      }, 500);
    }
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

/**
 * One X25519, one HKDF and one Ed25519 of the browser's own, with keys that are imported already, and one ChaCha20-Poly1305,
 * which browsers lack. Of the message only its bytes matter: what comes out is not looked at, so nothing is compared or read.
 */
async function indispensable() {
  const { subtle } = crypto;
  const mine = (await subtle.generateKey({ name: "X25519" }, false, ["deriveBits"])).privateKey;
  const doors = (await subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"])).publicKey;
  const info = new TextEncoder().encode("bare");
  return async (payload) => {
    const there = await subtle.importKey("raw", payload.slice(0, 32), { name: "X25519" }, false, []);
    const shared = await subtle.deriveBits({ name: "X25519", public: there }, mine, 256);
    const secret = await subtle.importKey("raw", shared, "HKDF", false, ["deriveBits"]);
    const key = await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: payload.slice(0, 32), info }, secret, 256);
    const text = chacha20poly1305(new Uint8Array(key), payload.slice(0, 12)).encrypt(payload);
    await subtle.verify({ name: "Ed25519" }, doors, payload.slice(0, 64), text);
  };
}

export function open(identity, sealed) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(sealed);
}
