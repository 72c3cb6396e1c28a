import { describe, expect, test } from "vitest";
import { addCorner, area, MOST_CORNERS, moveCorner, movePolygon, type Polygon, readPolygons, rectangle, removeCorner, under } from "../src/door/polygons";

const SQUARE: Polygon = [[0.2, 0.2], [0.4, 0.2], [0.4, 0.4], [0.2, 0.4]];

describe("areas drawn on a picture", () => {
  test("a drag in any direction is the same rectangle", () => {
    const wanted = [[0.1, 0.2], [0.5, 0.2], [0.5, 0.6], [0.1, 0.6]];
    expect(rectangle([0.1, 0.2], [0.5, 0.6])).toEqual(wanted);
    expect(rectangle([0.5, 0.6], [0.1, 0.2])).toEqual(wanted);
  });

  test("a tap is no area", () => {
    expect(rectangle([0.1, 0.2], [0.1, 0.6])).toBeNull();
  });

  test("nothing is drawn outside the picture", () => {
    expect(rectangle([-1, -1], [2, 2])).toEqual([[0, 0], [1, 0], [1, 1], [0, 1]]);
    expect(moveCorner(SQUARE, 0, [-0.3, 1.7])[0]).toEqual([0, 1]);
  });

  test("an area that is pushed against the edge keeps its shape", () => {
    const moved = movePolygon(SQUARE, 0.9, -0.9);
    expect(moved).toEqual([[0.8, 0], [1, 0], [1, 0.2], [0.8, 0.2]]);
    expect(area(moved)).toBeCloseTo(area(SQUARE), 6);
  });

  test("a new corner lies on its side, and the area is the same", () => {
    const five = addCorner(SQUARE, 3);
    expect(five[4]).toEqual([0.2, 0.3]);
    expect(area(five)).toBeCloseTo(0.04, 6);
  });

  test("three corners are the least, 64 the most", () => {
    const three = removeCorner(SQUARE, 0);
    expect(removeCorner(three, 0)).toBe(three);
    let many = SQUARE;
    for (let n = 0; n < 100; n++) many = addCorner(many, n % many.length);
    expect(many).toHaveLength(MOST_CORNERS);
  });

  test("a finger finds the area that was drawn last", () => {
    const over: Polygon = [[0.3, 0.3], [0.9, 0.3], [0.9, 0.9], [0.3, 0.9]];
    expect(under([SQUARE, over], [0.35, 0.35])).toBe(1);
    expect(under([SQUARE, over], [0.25, 0.25])).toBe(0);
    expect(under([SQUARE, over], [0.1, 0.9])).toBe(-1);
  });

  test("what the door tells and is no area is left out", () => {
    expect(readPolygons([SQUARE, [[0, 0]], [[0, 0], [2, 0], [0, 1]], "x"])).toEqual([SQUARE]);
    expect(readPolygons(null)).toEqual([]);
  });
});
