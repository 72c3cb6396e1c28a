/** Areas of the picture as the door keeps them: corners `[x, y]`, 0 to 1 from the top left. Every change gives a new list. */

export type Corner = readonly [number, number];
export type Polygon = readonly Corner[];

export const MOST_POLYGONS = 16;
export const MOST_CORNERS = 64;
const LEAST_SIDE = 0.02;

/** What the door told; what is no list of polygons counts as none. */
export function readPolygons(value: unknown): Polygon[] {
  if (!Array.isArray(value)) return [];
  const isCorner = (one: unknown): one is Corner => Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === "number" && part >= 0 && part <= 1);
  return value.filter((one): one is Polygon => Array.isArray(one) && one.length >= 3 && one.every(isCorner));
}

/** A thousandth of the picture is finer than a finger. */
export function within(part: number): number {
  return Math.round(Math.min(1, Math.max(0, part)) * 1000) / 1000;
}

/** From one finger's mark to another; null where that is no area. */
export function rectangle([ax, ay]: Corner, [bx, by]: Corner): Polygon | null {
  const [left, right, top, bottom] = [within(Math.min(ax, bx)), within(Math.max(ax, bx)), within(Math.min(ay, by)), within(Math.max(ay, by))];
  if (right - left < LEAST_SIDE || bottom - top < LEAST_SIDE) return null;
  return [[left, top], [right, top], [right, bottom], [left, bottom]];
}

export function moveCorner(polygon: Polygon, place: number, [x, y]: Corner): Polygon {
  return polygon.map((corner, i) => (i === place ? [within(x), within(y)] : corner));
}

/** Whole, as far as the picture lets it. */
export function movePolygon(polygon: Polygon, dx: number, dy: number): Polygon {
  const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
  const x = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const y = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return polygon.map(([cx, cy]) => [within(cx + x), within(cy + y)]);
}

/** Another corner in the middle of the side behind *place*. */
export function addCorner(polygon: Polygon, place: number): Polygon {
  if (polygon.length >= MOST_CORNERS) return polygon;
  const [x, y] = middle(polygon, place);
  return [...polygon.slice(0, place + 1), [within(x), within(y)], ...polygon.slice(place + 1)];
}

/** A triangle stays one. */
export function removeCorner(polygon: Polygon, place: number): Polygon {
  return polygon.length > 3 ? polygon.filter((_, i) => i !== place) : polygon;
}

export function middle(polygon: Polygon, place: number): Corner {
  const [[ax, ay], [bx, by]] = [polygon[place]!, polygon[(place + 1) % polygon.length]!];
  return [(ax + bx) / 2, (ay + by) / 2];
}

/** Of the whole picture, 0 to 1, by the shoelace formula; the door refuses what encloses nothing. */
export function area(polygon: Polygon): number {
  const twice = polygon.reduce((sum, [x, y], i) => {
    const [nx, ny] = polygon[(i + 1) % polygon.length]!;
    return sum + x * ny - nx * y;
  }, 0);
  return Math.abs(twice) / 2;
}

/** Which one is under the finger, the last drawn first; -1: none. */
export function under(polygons: readonly Polygon[], [x, y]: Corner): number {
  return polygons.findLastIndex((polygon) => {
    let inside = false;
    for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
      const [[ax, ay], [bx, by]] = [polygon[i]!, polygon[j]!];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  });
}
