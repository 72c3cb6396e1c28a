/**
 * Commands to one door, and the replies to them.
 *
 * A command goes out once, on the connection there is, and is never queued: what was not answered within its time has failed,
 * and the person is told. A counter is taken, signed and sent under one Web Lock: the door refuses whoever comes behind a
 * higher one.
 */

import type { Opener } from "../door/age";
import { type Bytes, base64 } from "../door/bytes";
import type { DoorClock } from "../door/clock";
import { type Command, type Reply, readReply, sealCommand } from "../door/command";
import { memberId } from "../door/identity";
import type { Fields } from "../door/json";
import { Refused } from "../door/refused";
import type { Signer } from "../door/sign";

const AHEAD_S = 30;
const ANSWER_WITHIN_MS = 12_000;
const HELLO_WITHIN_MS = 4000; // the door answers one a second; a lost one is soon asked again

interface Waiting {
  readonly asked: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (why: Error) => void;
}

export interface Facts {
  readonly door: string;
  readonly roster: number;
  readonly verifyKey: Bytes;
  readonly boxKey: Bytes;
}

/** Seconds, monotonic. */
export function now(): number {
  return performance.now() / 1000;
}

export class Asking {
  readonly #waiting = new Map<string, Waiting>();
  #turn: Promise<unknown> = Promise.resolve();
  readonly me: string;

  constructor(
    private readonly signer: Signer,
    private readonly opener: Opener,
    private readonly clock: DoorClock,
    private readonly facts: () => Facts | null,
    private readonly send: (payload: Bytes) => boolean,
  ) {
    this.me = memberId(signer.verifyKey);
  }

  /** What the door says of a command later, after its reply: a transfer that ended early. */
  onLate: ((id: Bytes, word: string) => void) | null = null;
  /** The connection is gone, for whoever waits for something that is no reply. */
  onLost: (() => void) | null = null;

  /**
   * The answer. *id* is the command's, for who must know it before; *within* milliseconds it has to come. Raises Refused:
   * `offline`, `silence`, or the word with which the door refused.
   */
  async ask(cmd: string, args: Fields = {}, how: { id?: Bytes; within?: number } = {}): Promise<{ reply: Reply; result: Fields }> {
    const { id = freshId(), within = cmd === "hello" ? HELLO_WITHIN_MS : ANSWER_WITHIN_MS } = how;
    const facts = this.facts();
    if (!facts || !this.clock.epoch) throw new Refused("offline");
    if (!this.clock.asked && cmd !== "hello") await this.ask("hello");
    const { answer } = await this.#inTurn(facts.door, async () => {
      const command: Command = {
        ...{ door: facts.door, roster: facts.roster, cmd, args, from: this.me },
        epoch: this.clock.epoch!,
        expires: Math.floor(this.clock.expiry(AHEAD_S, now()) ?? 0),
        counter: nextCounter(facts.door),
        id,
      };
      return { answer: this.#answer(id, await sealCommand(command, this.signer, facts.boxKey), within) };
    });
    const reply = await answer;
    if (reply.refused) throw new Refused(reply.refused);
    return { reply, result: reply.result ?? {} };
  }

  /**
   * A message on `to/<phone>`. The reply, when it is one to a question of ours; *first* is done with it before whoever asked
   * goes on. Raises Refused.
   */
  async hear(payload: Bytes, first: (reply: Reply) => Promise<void> = async () => undefined): Promise<Reply | null> {
    const facts = this.facts();
    if (!facts) return null;
    const reply = await readReply(payload, this.opener, facts.verifyKey, facts.door, this.me);
    const waiting = this.#waiting.get(base64(reply.id));
    if (!waiting) {
      if (reply.refused) this.onLate?.(reply.id, reply.refused);
      return null;
    }
    this.#waiting.delete(base64(reply.id));
    this.clock.begin(reply.epoch); // it answers a question of now: this is how the door is now
    this.clock.heard(reply.uptime, now(), waiting.asked);
    await first(reply);
    waiting.resolve(reply);
    return reply;
  }

  /** The connection is gone: nobody waits for what cannot come. */
  giveUp(): void {
    for (const one of this.#waiting.values()) one.reject(new Refused("offline"));
    this.#waiting.clear();
    this.onLost?.();
  }

  /** One command after the other, over all windows. What *send* gives is not waited for: the answer may take its time. */
  #inTurn<T>(door: string, send: () => Promise<T>): Promise<T> {
    if (navigator.locks) return navigator.locks.request(`doorbell/${door}`, send) as Promise<T>;
    const mine = this.#turn.then(send);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #answer(id: Bytes, payload: Bytes, within: number): Promise<Reply> {
    const answer = new Promise<Reply>((resolve, reject) => {
      const name = base64(id);
      const late = setTimeout(() => {
        this.#waiting.delete(name);
        reject(new Refused("silence"));
      }, within);
      const end = <T>(how: (value: T) => void) => (value: T): void => {
        clearTimeout(late);
        how(value);
      };
      this.#waiting.set(name, { asked: now(), resolve: end(resolve), reject: end(reject) });
      if (this.send(payload)) return;
      this.#waiting.delete(name);
      end(reject)(new Refused("offline"));
    });
    answer.catch(() => undefined); // whoever asked hears of it, if a moment later: the lock is given back first
    return answer;
  }
}

export function freshId(): Bytes {
  return crypto.getRandomValues(new Uint8Array(16));
}

/** Larger than any before, over windows and restarts: the wall clock's milliseconds, or one more than the last. */
function nextCounter(door: string): number {
  const key = `counter/${door}`;
  const next = Math.max(Date.now(), Number(localStorage.getItem(key) ?? 0) + 1);
  localStorage.setItem(key, String(next));
  return next;
}
