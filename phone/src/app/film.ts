/**
 * Live fragments in a video element, as near to now as they come. Behind a gap the film goes on at what has arrived; what lies
 * more than a few seconds back is thrown away.
 */

import type { Bytes } from "../door/bytes";
import { same } from "../door/bytes";
import type { Fragment } from "../door/live";
import { beganAt, readMovie } from "../door/mp4";
import { append, mediaSource } from "./player";

const FARTHEST_S = 1.5; // behind the newest picture, then it jumps
const NEAR_S = 0.35;
const KEPT_S = 12;
const MOST_WAITING = 90; // fragments that the browser has not taken: a page that was asleep

export class Film {
  #source: MediaSource | null = null;
  #buffer: SourceBuffer | null = null;
  #url = "";
  #init: Bytes | null = null;
  #began: number | null = null;
  #queue: Bytes[] = [];
  #busy = false;
  #waiting = false;
  #closed = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly unplayable: () => void = () => undefined,
  ) {
    video.disableRemotePlayback = true; // ManagedMediaSource opens only so
  }

  take({ kind, bytes, keyframe }: Fragment): void {
    if (kind === "init") {
      if (!this.#init || !same(this.#init, bytes)) this.#open(bytes);
      return;
    }
    if (kind !== "video" || !this.#source) return;
    if (this.#queue.length >= MOST_WAITING) {
      this.#queue = [];
      this.#waiting = true;
    }
    if (this.#waiting && !keyframe) return;
    this.#waiting = false;
    this.#queue.push(bytes);
    void this.#pump();
  }

  /** The door's uptime of the picture that is shown, in seconds; null where it is not known. */
  get shownAt(): number | null {
    return this.#began === null || this.video.readyState < 2 ? null : this.#began + this.video.currentTime;
  }

  close(): void {
    this.#closed = true;
    this.#letGo();
  }

  #open(init: Bytes): void {
    this.#letGo();
    const movie = readMovie(init);
    const Source = mediaSource(movie.type);
    if (!Source) return this.unplayable();
    this.#init = init;
    this.#began = beganAt(init);
    const source = (this.#source = new Source());
    this.#url = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => void this.#begin(source, movie.type, init), { once: true });
    this.video.src = this.#url;
  }

  async #begin(source: MediaSource, type: string, init: Bytes): Promise<void> {
    if (this.#source !== source) return;
    const buffer = source.addSourceBuffer(type);
    await append(buffer, init);
    this.#buffer = buffer;
    await this.#pump();
  }

  async #pump(): Promise<void> {
    const buffer = this.#buffer;
    if (this.#busy || !buffer || this.#closed) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next && this.#buffer === buffer; next = this.#queue.shift()) {
        await append(buffer, next);
        this.#follow(buffer);
        if (buffer.updating) await new Promise((done) => buffer.addEventListener("updateend", done, { once: true }));
      }
    } catch (error) {
      if (this.#buffer === buffer && !this.#closed) {
        this.#letGo(); // what the browser cannot play: the next beginning of the film is tried
        reportError(error);
      }
    }
    this.#busy = false;
  }

  /** Stay near the newest picture: a little faster when it is a little behind, a jump when it is far, or behind a gap. */
  #follow(buffer: SourceBuffer): void {
    const { video } = this;
    const { buffered } = buffer;
    if (buffered.length === 0) return;
    const [from, to] = [buffered.start(buffered.length - 1), buffered.end(buffered.length - 1)];
    const behind = to - video.currentTime;
    if (video.currentTime < from || behind > FARTHEST_S || behind < 0) video.currentTime = Math.max(from, to - NEAR_S);
    video.playbackRate = behind > 2 * NEAR_S ? 1.1 : 1;
    if (video.paused) video.play().catch(() => undefined); // not before a person touched the page: they have
    if (video.currentTime - buffered.start(0) > 2 * KEPT_S) buffer.remove(0, video.currentTime - KEPT_S);
  }

  #letGo(): void {
    this.#source = this.#buffer = this.#init = null;
    this.#began = null;
    this.#queue = [];
    this.#waiting = true;
    if (this.#url) {
      this.video.removeAttribute("src");
      this.video.load();
      URL.revokeObjectURL(this.#url);
    }
    this.#url = "";
  }
}
