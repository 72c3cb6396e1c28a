/**
 * Areas drawn with a finger on a picture of now: where motion counts, or what is never filmed. A drag over the picture draws a
 * rectangle; its corners are dragged, and each side has a handle that becomes a corner. Every handle takes the arrow keys too.
 */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { addCorner, area, type Corner, middle, MOST_POLYGONS, moveCorner, movePolygon, type Polygon, rectangle, removeCorner, under } from "../door/polygons";
import type { Door } from "../household/door";
import type { DoorView } from "../household/record";
import { T } from "../texts";
import { Gate, Said, useSettings } from "./settings";
import { Screen, sentence } from "./shown";

const AGAIN_AFTER_MS = 5000;
const STEP = 0.01;
const LEAST_AREA = 0.0005;
const CENTRE: Polygon = [[0.35, 0.35], [0.65, 0.35], [0.65, 0.65], [0.35, 0.65]];
const ARROWS: Readonly<Record<string, Corner>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

type Kind = "zones" | "masks";

export function Areas({ door, view, kind }: { door: Door; view: DoorView; kind: Kind }): JSX.Element {
  const { settings, said, busy, put } = useSettings(door, view);
  const [drawn, setDrawn] = useState<readonly Polygon[] | null>(null);
  const [chosen, choose] = useState(-1);
  const still = useStill(door, view);
  const polygons = drawn ?? settings?.[kind] ?? [];
  const draw = (next: readonly Polygon[], which = chosen): void => {
    setDrawn(next);
    choose(which);
  };
  const save = async (): Promise<void> => {
    const set = kind === "zones" ? { motion: { zones: polygons } } : { privacy: { masks: polygons } };
    if (await put(set)) {
      setDrawn(null);
      choose(-1);
      still.again();
    }
  };
  const tooSmall = polygons.some((one) => area(one) < LEAST_AREA);
  return (
    <Screen title={T.areas[kind].title} back="#/settings">
      <Gate view={view} loaded={settings !== null} said={said} />
      {settings && (
        <fieldset class="plain" disabled={busy}>
          <p class="hint">{T.areas[kind].lead}</p>
          <Canvas kind={kind} picture={still.url} said={still.said} polygons={polygons} chosen={chosen} draw={draw} choose={choose} />
          <p class="hint">{polygons.length === 0 ? T.areas[kind].none : T.areas.how}</p>
          <div class="row">
            <button type="button" disabled={polygons.length >= MOST_POLYGONS} onClick={() => draw([...polygons, CENTRE], polygons.length)}>
              {T.areas.add}
            </button>
            <button type="button" disabled={chosen < 0} onClick={() => draw(polygons.filter((_, i) => i !== chosen), -1)}>
              {T.areas.remove}
            </button>
          </div>
          {drawn && (
            <div class="row saving">
              <button type="button" onClick={() => (setDrawn(null), choose(-1))}>
                {T.areas.undo}
              </button>
              <button type="button" class="primary" disabled={tooSmall} onClick={() => void save()}>
                {T.settings.save}
              </button>
            </div>
          )}
          {tooSmall && <p class="wrong">{T.areas.tooSmall}</p>}
        </fieldset>
      )}
      <Said text={said} busy={busy} />
    </Screen>
  );
}

function useStill(door: Door, view: DoorView) {
  const [url, setUrl] = useState("");
  const [said, setSaid] = useState("");
  const [turn, setTurn] = useState(0);
  const may = view.role === "admin" && view.answers;
  useEffect(() => {
    if (!may) return;
    let made = "";
    let gone = false;
    let again: ReturnType<typeof setTimeout> | undefined;
    setSaid(T.areas.fetching);
    door.still().then(
      (picture) => {
        if (gone) return;
        made = URL.createObjectURL(new Blob([picture], { type: "image/jpeg" }));
        setUrl(made);
        setSaid("");
      },
      (error: unknown) => {
        if (gone) return;
        setSaid(`${sentence(error)} ${T.areas.blind}`);
        again = setTimeout(() => setTurn((n) => n + 1), AGAIN_AFTER_MS);
      },
    );
    return () => {
      gone = true;
      clearTimeout(again);
      if (made) URL.revokeObjectURL(made);
    };
  }, [door, may, turn]);
  return { url, said, again: () => setTurn((n) => n + 1) };
}

interface Drag {
  readonly from: Corner;
  readonly what: "new" | "move" | number;
  readonly before: readonly Polygon[];
  readonly which: number;
}

function Canvas(props: {
  kind: Kind;
  picture: string;
  said: string;
  polygons: readonly Polygon[];
  chosen: number;
  draw: (next: readonly Polygon[], which?: number) => void;
  choose: (which: number) => void;
}): JSX.Element {
  const { polygons, chosen, draw } = props;
  const box = useRef<HTMLDivElement>(null);
  const [ratio, setRatio] = useState(16 / 10);
  const drag = useRef<Drag | null>(null);
  const place = (event: PointerEvent): Corner => {
    const { left, top, width, height } = box.current!.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  };
  const begin = (event: PointerEvent, what: Drag["what"] | null, which = chosen): void => {
    if (event.button > 0) return;
    event.preventDefault();
    event.stopPropagation();
    const from = place(event);
    box.current!.setPointerCapture(event.pointerId);
    const hit = what === null ? under(polygons, from) : which;
    if (what === null && hit >= 0) props.choose(hit);
    drag.current = { from, what: what ?? (hit >= 0 ? "move" : "new"), before: polygons, which: hit };
  };
  const move = (event: PointerEvent): void => {
    const now = drag.current;
    if (!now) return;
    const at = place(event);
    const { before, from, which, what } = now;
    if (what === "new") {
      const fresh = rectangle(from, at);
      if (fresh && before.length < MOST_POLYGONS) draw([...before, fresh], before.length);
    } else {
      const one = before[which]!;
      const next = what === "move" ? movePolygon(one, at[0] - from[0], at[1] - from[1]) : moveCorner(one, what, at);
      if (Math.hypot(at[0] - from[0], at[1] - from[1]) > 0.005) draw(before.map((old, i) => (i === which ? next : old)), which);
    }
  };
  const end = (): void => {
    drag.current = null;
  };
  const change = (next: Polygon): void => draw(polygons.map((old, i) => (i === chosen ? next : old)));
  const keys = (event: KeyboardEvent, corner: number): void => {
    const arrow = ARROWS[event.key];
    const one = polygons[chosen]!;
    if (arrow) {
      event.preventDefault();
      const step = event.shiftKey ? 5 * STEP : STEP;
      const [x, y] = one[corner]!;
      change(moveCorner(one, corner, [x + arrow[0] * step, y + arrow[1] * step]));
    } else if (event.key === "Delete" || event.key === "Backspace") change(removeCorner(one, corner));
  };
  const percent = (part: number): string => `${(part * 100).toFixed(2)}%`;
  const one = polygons[chosen];
  return (
    <div
      class={`frame areas ${props.kind}`}
      ref={box}
      style={{ aspectRatio: String(ratio) }}
      onPointerDown={(event) => begin(event, null)}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={end}
    >
      {props.picture && (
        <img
          class="picture"
          src={props.picture}
          alt={T.areas.alt}
          draggable={false}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => setRatio(naturalWidth / naturalHeight || 1.6)}
        />
      )}
      {props.said && <p class="over">{props.said}</p>}
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {polygons.map((polygon, i) => (
          <polygon key={i} class={i === chosen ? "chosen" : ""} points={polygon.map((corner) => corner.join(",")).join(" ")} />
        ))}
      </svg>
      {polygons.map((polygon, i) => (
        <button
          key={`choose${i}`}
          type="button"
          class="unseen"
          aria-pressed={i === chosen}
          onFocus={() => props.choose(i)}
          onClick={() => props.choose(i)}
          aria-label={T.areas.one(i + 1, polygon.length)}
        />
      ))}
      {one?.map(([x, y], corner) => (
        <button
          key={`corner${corner}`}
          type="button"
          class="corner"
          style={{ left: percent(x), top: percent(y) }}
          aria-label={T.areas.corner(corner + 1, Math.round(x * 100), Math.round(y * 100))}
          onPointerDown={(event) => begin(event, corner)}
          onKeyDown={(event) => keys(event, corner)}
        />
      ))}
      {one?.map((_, side) => {
        const [x, y] = middle(one, side);
        return (
          <button
            key={`side${side}`}
            type="button"
            class="corner side"
            style={{ left: percent(x), top: percent(y) }}
            aria-label={T.areas.addCorner(side + 1)}
            onPointerDown={(event) => {
              const next = polygons.map((old, i) => (i === chosen ? addCorner(old, side) : old));
              begin(event, side + 1);
              if (drag.current) drag.current = { ...drag.current, before: next };
              draw(next);
            }}
            onKeyDown={(event) => {
              if (event.key === "Enter" || event.key === " ") change(addCorner(one, side));
            }}
          />
        );
      })}
    </div>
  );
}
