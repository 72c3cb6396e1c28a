/** One visit: its picture, its clip, what the journal says of it. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Refused } from "../door/refused";
import { type Movie, readMovie } from "../door/mp4";
import { remux } from "../door/remux";
import type { Door } from "../household/door";
import type { DoorView } from "../household/record";
import type { Opened } from "../backroom/work";
import { fetchClip } from "../household/transfer";
import { T } from "../texts";
import { clipLine, visitLine } from "./history";
import { play } from "./player";
import { dayOf, doorTime, Icon, Picture, Screen, sentence, Sure } from "./shown";

const SAVED_WITHIN_MS = 60_000; // the browser copies the file from the address meanwhile

export function VisitPage({ door, view, id }: { door: Door; view: DoorView; id: string }): JSX.Element {
  const visit = view.visits.find((one) => one.id === id);
  const [clip, setClip] = useState<(Opened & { movie: Movie }) | null>(null);
  const [said, setSaid] = useState("");
  const [done, setDone] = useState<number | null>(null);
  const [sure, setSure] = useState(false);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), [id]);
  const fact = visit?.clips.at(-1);
  const ready = fact?.state === "kept" || fact?.state === "cut";

  const open = async (): Promise<void> => {
    stop.current = new AbortController();
    setDone(0);
    setSaid("");
    try {
      const got = await fetchClip(
        door,
        fact!,
        (progress) => {
          setDone(progress.done);
          if (progress.resumed > 0) setSaid(T.visit.resumed);
        },
        stop.current.signal,
      );
      setClip({ ...got, movie: readMovie(got.plain) });
      setSaid(got.ending === "opens" ? T.visit.verified : T.visit.partial);
    } catch (error) {
      if (error instanceof Refused && error.word === "stopped") return;
      setSaid(error instanceof Refused && error.word === "forged" ? T.visit.wrong : sentence(error));
      if (error instanceof Refused) void door.history.missed(fact!.id, error.word);
    }
    setDone(null);
  };
  const save = ({ plain }: Opened): void => {
    try {
      const url = URL.createObjectURL(new Blob([remux(plain)], { type: "video/mp4" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = `${visit?.at.slice(0, 19).replaceAll(":", "-") ?? id}.mp4`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), SAVED_WITHIN_MS);
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  const remove = async (): Promise<void> => {
    setSure(false);
    try {
      await door.asking.ask("delete", { clips: [fact!.id] });
    } catch (error) {
      setSaid(sentence(error));
    }
  };

  return (
    <Screen title={visit ? visitLine(visit) : T.visit.title} back="#/history">
      <p class="when">
        {visit && T.visit.when(dayOf(visit.at).name, doorTime(visit.at, visit.synced))}
      </p>
      <div class="frame">
        {clip ? <Video clip={clip} /> : <Picture door={door} visit={id} alt={T.ring.alt} version={view} />}
        {visit && ready && !clip && done === null && view.answers && (
          <button class="play" aria-label={T.visit.play} onClick={() => void open()}>
            <Icon name="play" />
          </button>
        )}
      </div>
      {done !== null && (
        <label class="progress">
          <span>{T.visit.loading(Math.round(done * 100))}</span>
          <progress value={done} />
        </label>
      )}
      <p role="status" class="hint">
        {said}
      </p>
      {visit && <p>{clipLine(visit)}</p>}
      {ready && !view.answers && <p class="note">{T.door.notYet}</p>}
      <div class="row">
        {clip && (
          <button onClick={() => save(clip)}>{T.visit.save}</button>
        )}
        {ready && view.role === "admin" && (
          <button class="remove" onClick={() => setSure(true)}>
            {T.visit.remove}
          </button>
        )}
      </div>
      {sure && <Sure text={T.visit.removeSure} yes={T.visit.yes} no={T.visit.no} onYes={() => void remove()} onNo={() => setSure(false)} />}
    </Screen>
  );
}

function Video({ clip }: { clip: Opened & { movie: Movie } }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => play(video.current!, clip.movie, clip.plain), [clip]);
  return <video class="picture" ref={video} controls autoplay muted playsInline />;
}
