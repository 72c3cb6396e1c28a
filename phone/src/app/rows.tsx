/** A long list of which only the rows that are on the screen exist, so ten thousand scroll as ten do. */

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

const MARGIN_REM = 40; // drawn above and below what is seen
const NARROW_REM = 20; // large type on a phone: lines break, rows need more

interface Props<Row> {
  readonly rows: readonly Row[];
  readonly id: (row: Row, place: number) => string | number;
  /** In rem, the same at each call. */
  readonly height: (row: Row, narrow: boolean) => number;
  readonly draw: (row: Row) => JSX.Element;
}

export function Rows<Row>({ rows, id, height, draw }: Props<Row>): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ from: 0, to: 60, narrow: false });
  const tops = useMemo(() => {
    const found = [0];
    for (const row of rows) found.push(found.at(-1)! + height(row, seen.narrow));
    return found;
  }, [rows, seen.narrow]);
  useEffect(() => {
    const look = (): void => {
      const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      const above = -list.current!.getBoundingClientRect().top / rem;
      const next = { from: above - MARGIN_REM, to: above + innerHeight / rem + MARGIN_REM, narrow: innerWidth / rem < NARROW_REM };
      const far = (a: number, b: number): boolean => Math.abs(a - b) > MARGIN_REM / 2;
      setSeen((old) => (far(old.from, next.from) || far(old.to, next.to) || old.narrow !== next.narrow ? next : old));
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [rows]);
  const within = tops.findIndex((top) => top > seen.from);
  const first = Math.max(0, (within < 0 ? rows.length : within) - 1);
  const behind = tops.findIndex((top) => top > seen.to);
  return (
    <div class="rows" role="list" ref={list} style={{ height: `${tops.at(-1)}rem` }}>
      {rows.slice(first, Math.max(first + 1, behind < 0 ? rows.length : behind + 1)).map((row, n) => (
        <div class="row-at" role="listitem" key={id(row, first + n)} style={{ top: `${tops[first + n]}rem`, height: `${tops[first + n + 1]! - tops[first + n]!}rem` }}>
          {draw(row)}
        </div>
      ))}
    </div>
  );
}
