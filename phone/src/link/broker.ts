/**
 * One connection to the broker at a time, by MQTT over WebSockets.
 *
 * Each attempt is a new client with an empty queue: what the phone wanted to send on a connection that broke is never sent
 * later by itself. The broker keeps what comes for this phone (QoS 1) for a week, because the journal may have no gap.
 */

import type { IClientOptions, MqttClient } from "mqtt";
import type { Bytes } from "../door/bytes";

export interface BrokerSettings {
  readonly url: string;
  readonly login: string;
  readonly password: string;
  readonly clientId: string;
}

export type LinkState = "connecting" | "online" | "offline" | "refused";

const KEEPALIVE_S = 15;
const KEPT_S = 7 * 24 * 3600;
const CONNECT_WITHIN_MS = 8000;
const LONGEST_PAUSE_MS = 60_000;
const PING_EVERY_MS = 8;

export class Broker {
  #client: MqttClient | null = null;
  #pause = 1000;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #version: 4 | 5 = 5;
  #failed = 0; // attempts in a row that never got to a greeting

  constructor(
    private readonly settings: BrokerSettings,
    private readonly topics: readonly string[],
    private readonly heard: (topic: string, payload: Bytes, retained: boolean) => void,
    private readonly changed: (state: LinkState) => void,
  ) {}

  open(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#client?.end(true);
    this.#client = null;
    this.changed("connecting");
    // The library is half of the app: what is kept here is on the screen before it has come.
    void import("mqtt").then(
      ({ default: mqtt }) => this.#connect(mqtt.connect(this.settings.url, this.#options())),
      () => this.#again("offline"),
    );
  }

  #connect(client: MqttClient): void {
    if (this.#closed || this.#client) {
      client.end(true);
      return;
    }
    this.#client = client;
    const mine = (): boolean => this.#client === client;
    client.on("connect", () => {
      this.#pause = 1000;
      this.#failed = 0;
      client.subscribe([...this.topics], { qos: 1 }, (error) => {
        if (mine()) this.changed(error ? "refused" : "online");
      });
    });
    client.on("message", (topic, payload, packet) => {
      if (mine()) this.heard(topic, new Uint8Array(payload), packet.retain);
    });
    client.on("error", (error) => {
      const code = "code" in error && typeof error.code === "number" ? error.code : 0;
      if (mine()) this.#again([4, 5, 134, 135].includes(code) ? "refused" : "offline");
      if (code === 1 || code === 132) this.#version = 4;
    });
    client.on("close", () => {
      if (mine()) this.#again("offline");
    });
  }

  /** True when it went out; false when there is no connection now, and then it never goes out. */
  send(topic: string, payload: Uint8Array): boolean {
    if (!this.#client?.connected) return false;
    this.#client.publish(topic, payload as Buffer, { qos: 1, properties: { messageExpiryInterval: 30 } });
    return true;
  }

  /**
   * While somebody waits for a clip or watches live; call what is returned when they do no more.
   *
   * mosquitto 2.0 gives a WebSocket 4 KB at a turn of its loop, and turns ten times a second when nothing happens (its issue
   * 1390): 45 KB/s. A ping makes it turn. One each 20 ms gives 207 KB/s, less than live view of 2 Mbit/s needs; one each 8 ms
   * more than twice that. Other brokers need none and lose nothing by it.
   */
  haste(): () => void {
    const pinging = setInterval(() => {
      if (this.#client?.connected) this.#client.sendPing();
    }, PING_EVERY_MS);
    return () => clearInterval(pinging);
  }

  /** At once instead of at the next attempt: the phone came back into the hand, or the network did. */
  hurry(): void {
    if (!this.#closed && !this.#client?.connected) {
      this.#pause = 1000;
      this.open();
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#client?.end(true);
    this.#client = null;
  }

  #again(state: LinkState): void {
    this.#client?.end(true);
    this.#client = null;
    if (this.#closed) return;
    // A broker that knows no version 5 may say so in a way that version 5 cannot read: every other attempt speaks version 4.
    this.#failed += 1;
    this.#version = this.#failed % 2 === 1 ? 4 : 5;
    this.changed(state);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  #options(): IClientOptions {
    const { login, password, clientId } = this.settings;
    return {
      clientId,
      protocolVersion: this.#version,
      clean: false,
      ...(this.#version === 5 ? { properties: { sessionExpiryInterval: KEPT_S } } : {}),
      ...(login ? { username: login, password } : {}),
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_WITHIN_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      timerVariant: "native", // the other one makes a worker from a blob, which the security policy forbids
    };
  }
}
