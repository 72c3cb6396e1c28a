/**
 * A clip in a video element, by Media Source Extensions (ManagedMediaSource on an iPhone): the fragments are appended as they are.
 */

import type { Bytes } from "../door/bytes";
import type { Movie } from "../door/mp4";

interface Sources {
  ManagedMediaSource?: typeof MediaSource;
  MediaSource?: typeof MediaSource;
}

const AT_ONCE = 512 * 1024; // bytes for one append: a browser may refuse more

/** What takes fragments of *type* in this browser; null: nothing does. */
export function mediaSource(type: string): typeof MediaSource | null {
  const { ManagedMediaSource, MediaSource } = globalThis as Sources;
  const Source = ManagedMediaSource ?? MediaSource;
  return Source?.isTypeSupported(type) ? Source : null;
}

/** Make *video* play *movie*; the returned function lets go of it. */
export function play(video: HTMLVideoElement, movie: Movie, bytes: Bytes): () => void {
  const Source = mediaSource(movie.type);
  if (!Source) return playWhole(video, bytes);
  const source = new Source();
  const url = URL.createObjectURL(source);
  video.disableRemotePlayback = true; // ManagedMediaSource opens only so
  source.addEventListener("sourceopen", () => void fill(source, movie, bytes).catch((error: unknown) => gone || reportError(error)), { once: true });
  let gone = false;
  video.src = url;
  return () => {
    gone = true;
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  };
}

async function fill(source: MediaSource, movie: Movie, bytes: Bytes): Promise<void> {
  const buffer = source.addSourceBuffer(movie.type);
  const last = movie.fragments.at(-1);
  await append(buffer, movie.init);
  let from = movie.fragments[0]?.from ?? 0;
  for (const fragment of movie.fragments) {
    if (fragment.to - from < AT_ONCE && fragment !== last) continue;
    await append(buffer, bytes.slice(from, fragment.to));
    from = fragment.to;
  }
  if (source.readyState === "open") source.endOfStream();
}

export function append(buffer: SourceBuffer, bytes: Bytes): Promise<void> {
  return new Promise((resolve, reject) => {
    buffer.addEventListener("updateend", () => resolve(), { once: true });
    buffer.addEventListener("error", () => reject(new Error("the browser refuses the video")), { once: true });
    buffer.appendBuffer(bytes);
  });
}

function playWhole(video: HTMLVideoElement, bytes: Bytes): () => void {
  const url = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  video.src = url;
  return () => URL.revokeObjectURL(url);
}
