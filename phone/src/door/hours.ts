/** A line of the door's schedule, `mon-fri 22:00-06:30`, as seven days and two times (docs/formats/commands.md). */

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export const MOST_LINES = 16;

export interface Hours {
  /** Monday first. */
  readonly days: readonly boolean[];
  /** `HH:MM`; the end may be `24:00`, and at or before the beginning it is on the next day. */
  readonly from: string;
  readonly to: string;
}

/** Null for what is no such line: a newer door's. */
export function readHours(line: unknown): Hours | null {
  const match = typeof line === "string" ? /^([a-z,-]+) (\d\d:\d\d)-(\d\d:\d\d)$/.exec(line) : null;
  if (!match) return null;
  const days: boolean[] = DAYS.map(() => match[1] === "daily");
  for (const part of match[1] === "daily" ? [] : match[1]!.split(",")) {
    const [first, last = first] = part.split("-").map((day) => (DAYS as readonly string[]).indexOf(day)) as [number, number?];
    if (first < 0 || last < 0 || part.split("-").length > 2) return null;
    for (let day = first; ; day = (day + 1) % 7) {
      days[day] = true;
      if (day === last) break;
    }
  }
  return { days, from: match[2]!, to: match[3]! };
}

/** Null where no day is chosen, a time is missing, or both are the same. */
export function writeHours({ days, from, to }: Hours): string | null {
  const end = to === "00:00" ? "24:00" : to;
  if (!days.includes(true) || !/^\d\d:\d\d$/.test(from) || !/^\d\d:\d\d$/.test(end) || from === end) return null;
  return `${writeDays(days)} ${from}-${end}`;
}

/** Three and more in a row as a stretch. */
function writeDays(days: readonly boolean[]): string {
  if (days.every(Boolean)) return "daily";
  const parts: string[] = [];
  for (let day = 0; day < 7; day++) {
    if (!days[day]) continue;
    let last = day;
    while (last < 6 && days[last + 1]) last++;
    if (last - day >= 2) parts.push(`${DAYS[day]}-${DAYS[last]}`);
    else for (let one = day; one <= last; one++) parts.push(DAYS[one]!);
    day = last;
  }
  return parts.join(",");
}
